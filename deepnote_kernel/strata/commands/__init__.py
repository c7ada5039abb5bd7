"""What ``%strata`` and ``jupyter deepnote strata`` do, a module for each kind of thing.

:mod:`deepnote_kernel.strata.table` names the nouns and verbs. A handler takes a
:class:`~deepnote_kernel.strata.commands.context.StrataContext` and its options.
"""
