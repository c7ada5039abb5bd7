"""What a person can ask for, in a notebook and in a shell: one definition for both.

:mod:`~deepnote_kernel.commands.table` names every noun, verb and option; the modules named after
the nouns carry them out. A handler takes a :class:`~deepnote_kernel.commands.context.Context` and
its options, and returns a view from :mod:`~deepnote_kernel.commands.views`, which shows itself as
HTML or as text and is still the object the API gave.
"""
