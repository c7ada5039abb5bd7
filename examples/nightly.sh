#!/bin/sh
# Write a report for each alpha, with papermill: for cron, or for a job of a CI service.
#
#   DEEPNOTE_TOKEN=… DEEPNOTE_NOTEBOOK_ID=scratch examples/nightly.sh reports
#
# A cell that fails makes papermill fail, and with it this script. The report is kept, up to the error.
set -eu

folder=${1:-reports}
mkdir -p "$folder"
for alpha in 0.1 1 10; do
  papermill --no-progress-bar --kernel "${KERNEL:-deepnote}" --parameters alpha "$alpha" \
    "$(dirname "$0")/report.ipynb" "$folder/alpha-$alpha.ipynb"
done
