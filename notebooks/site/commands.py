"""The command line reference, from the program itself."""

from typing import Any

import typer
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from pbpk.cli import app as program


class CommandLine(SphinxDirective):
    """`command-line`: every command with what it does, its usage, its arguments and options."""

    def run(self) -> list[nodes.Node]:
        """Build a section for each command."""
        group = typer.main.get_command(program)
        return list(self._below(group, typer.Context(group, info_name="pbpk")))

    def _below(self, group: Any, context: Any) -> Any:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            inside = type(context)(command, info_name=name, parent=context)
            if hasattr(command, "list_commands"):
                yield from self._below(command, inside)
            else:
                yield self._section(command, inside)

    def _section(self, command: Any, context: Any) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(context.command_path)])
        section += nodes.title(text=context.command_path)
        self.state.document.note_explicit_target(section)
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        section += self._code(usage)
        section += [nodes.paragraph(text=" ".join(each.split())) for each in (command.help or "").split("\n\n")]
        listed = nodes.definition_list()
        for parameter in command.get_params(context):
            told = self._parameter(parameter, context)
            if told is not None:
                listed += told
        section += listed
        if command.epilog:
            section += self._code(command.epilog.removeprefix("Example: "))
        return section

    def _parameter(self, parameter: Any, context: Any) -> nodes.Node | None:
        if getattr(parameter, "hidden", False) or parameter.name == "help":
            return None
        if parameter.param_type_name == "argument":
            spelt, about = (parameter.metavar or parameter.name).upper(), getattr(parameter, "help", None) or ""
        else:
            record = parameter.get_help_record(context)
            if record is None:
                return None
            spelt, about = record
        item = nodes.definition_list_item()
        item += nodes.term("", "", nodes.literal(text=" ".join(spelt.split())))
        item += nodes.definition("", nodes.paragraph(text=" ".join(about.split())))
        return item

    def _code(self, text: str) -> nodes.literal_block:
        return nodes.literal_block(text, text, language="text")


def setup(app: Any) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
