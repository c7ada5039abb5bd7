/** The kernels' logos, and the icon of the side panel. */

import { LabIcon } from '@jupyterlab/ui-components';

import deepnoteSvg from '../../kernelspec/deepnote/logo-svg.svg';
import localSvg from '../../kernelspec/deepnote-local/logo-svg.svg';
import strataSvg from '../../kernelspec/strata/logo-svg.svg';
import panelSvg from '../style/panel.svg';
import { Place } from './current';

export const logos: Record<Place, LabIcon> = {
  deepnote: new LabIcon({ name: 'deepnote-kernel:deepnote', svgstr: deepnoteSvg }),
  local: new LabIcon({ name: 'deepnote-kernel:local', svgstr: localSvg }),
  strata: new LabIcon({ name: 'deepnote-kernel:strata', svgstr: strataSvg })
};

export const panelIcon = new LabIcon({ name: 'deepnote-kernel:panel', svgstr: panelSvg });
