"""What the splitting of a document needs to know of its language: one row of a table per language.

Adding a language is adding a row and its identifiers, and a file under tests/data/languages. The kinds are node kinds
of the tree-sitter grammar that ast-grep has under the name `grammar`; a test asks the grammar for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Newlines(StrEnum):
    """What a line break outside strings and comments means.

    FREE: a blank. ENDS: it may end a statement, everywhere. BRACKETS: so too, but not directly within `()` or `[]`.
    INDENT: as in Python, with indentation as block structure. OFFSIDE: as ENDS, and indentation counts everywhere.
    """

    FREE = "free"
    ENDS = "ends"
    BRACKETS = "brackets"
    INDENT = "indent"
    OFFSIDE = "offside"


class Blanks(StrEnum):
    """What blanks within a line, outside strings, mean.

    FREE: nothing but to keep tokens apart. COUNTED_ONCE: whether there are any may matter. VERBATIM: all may matter.
    """

    FREE = "free"
    COUNTED_ONCE = "counted once"
    VERBATIM = "verbatim"


Kinds = frozenset[str]
_NO_KINDS: Kinds = frozenset()


def kinds(text: str) -> Kinds:
    """The set of the words in `text`."""
    return frozenset(text.split())


_COMMENT = kinds("comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One row. Sets hold node kinds, but for `sensitive`: names of callees whose use asks for a closer look.

    `strings` are the tokens whose blanks belong to them. `functions` become regions when they have a body. `classes`
    are split into their functions and what is between these, and so are `scopes` (namespaces, modules, conditional
    blocks) where they hold functions. `wrappers` stand around a definition and belong to it (decorators, `export`).
    `bindings` may give a name to a function (`const f = () => {...}`), which is one of `function_values`. `leads`
    stand before what they belong to, as siblings. `blocks` are bodies that hold statements. `empties` are statements
    that do nothing. `pragmas` matches the text of comments that mean something to a compiler or type checker;
    `verbatim` matches code in which every comment may. `bare_members` says that members of the own class are named
    without `this`.
    """

    grammar: str
    line_comment: str
    newlines: Newlines = Newlines.FREE
    blanks: Blanks = Blanks.COUNTED_ONCE
    comments: Kinds = _COMMENT
    strings: Kinds
    functions: Kinds
    classes: Kinds = _NO_KINDS
    scopes: Kinds = _NO_KINDS
    wrappers: Kinds = _NO_KINDS
    bindings: Kinds = _NO_KINDS
    function_values: Kinds = _NO_KINDS
    leads: Kinds = _NO_KINDS
    imports: Kinds = _NO_KINDS
    assignments: Kinds = _NO_KINDS
    types: Kinds = _NO_KINDS
    blocks: Kinds
    branches: Kinds
    nests: Kinds
    empties: Kinds = _NO_KINDS
    pragmas: str = ""
    verbatim: str = ""
    bare_members: bool = False
    sensitive: Kinds = _NO_KINDS


AROUND_MEMBERS = {
    "python": ("class _:\n", ""),
    "javascript": ("class _ {\n", "\n}"),
    "typescript": ("class _ {\n", "\n}"),
    "tsx": ("class _ {\n", "\n}"),
    "java": ("class _ {\n", "\n}"),
    "rust": ("impl _ {\n", "\n}"),
}
"""By grammar, what has to stand before and after members of a class for them to be parsed without it."""

_SHELL_CALLS = "system exec eval popen shell_exec passthru proc_open"

PYTHON = Language(
    grammar="python",
    line_comment="#",
    newlines=Newlines.INDENT,
    blanks=Blanks.FREE,
    strings=kinds("string"),
    functions=kinds("function_definition"),
    classes=kinds("class_definition"),
    scopes=kinds(
        "if_statement elif_clause else_clause try_statement except_clause finally_clause with_statement block"
    ),
    wrappers=kinds("decorated_definition"),
    imports=kinds("import_statement import_from_statement future_import_statement"),
    assignments=kinds("expression_statement"),
    types=kinds("type_alias_statement"),
    blocks=kinds("block"),
    branches=kinds(
        "if_statement elif_clause for_statement while_statement except_clause case_clause conditional_expression"
    ),
    nests=kinds(
        "function_definition lambda if_statement for_statement while_statement try_statement with_statement"
        " match_statement"
    ),
    empties=kinds("pass_statement"),
    pragmas=r"#!|#\s*(?:type|pyright|mypy|pytype|cython|distutils)\s*:|#.*coding[:=]",
    sensitive=kinds(
        f"{_SHELL_CALLS} compile __import__ loads load unsafe_load Popen check_output check_call run mark_safe execute"
        " executemany executescript raw md5 sha1 mktemp extractall fromstring parse pickle yaml subprocess"
    ),
)

JAVASCRIPT = Language(
    grammar="javascript",
    line_comment="//",
    newlines=Newlines.BRACKETS,
    blanks=Blanks.FREE,
    comments=kinds("comment html_comment"),
    strings=kinds("string template_string regex jsx_text hash_bang_line"),
    functions=kinds("function_declaration generator_function_declaration method_definition class_static_block"),
    classes=kinds("class_declaration class"),
    scopes=kinds("statement_block if_statement else_clause try_statement"),
    wrappers=kinds("export_statement"),
    bindings=kinds("lexical_declaration variable_declaration expression_statement field_definition"),
    function_values=kinds("arrow_function function_expression generator_function"),
    leads=kinds("decorator"),
    imports=kinds("import_statement"),
    assignments=kinds("lexical_declaration variable_declaration field_definition"),
    blocks=kinds("statement_block"),
    branches=kinds(
        "if_statement for_statement for_in_statement while_statement do_statement switch_case catch_clause"
        " ternary_expression"
    ),
    nests=kinds(
        "function_declaration generator_function_declaration function_expression arrow_function method_definition"
        " if_statement for_statement for_in_statement while_statement do_statement switch_statement try_statement"
    ),
    empties=kinds("empty_statement"),
    pragmas=r"//\s*@ts-|/\*\s*@ts-|.*@(?:flow|jsx\w*|vite-ignore)\b|.*__PURE__|.*webpack[A-Z]|///\s*<",
    sensitive=kinds(
        f"{_SHELL_CALLS} execSync spawn spawnSync Function setTimeout innerHTML outerHTML insertAdjacentHTML query"
        " dangerouslySetInnerHTML deserialize unserialize createHash runInNewContext raw $where document.write"
    ),
)

TYPESCRIPT = replace(
    JAVASCRIPT,
    grammar="typescript",
    strings=JAVASCRIPT.strings - {"jsx_text"} | {"template_literal_type"},
    classes=kinds("class_declaration abstract_class_declaration class"),
    scopes=JAVASCRIPT.scopes | {"internal_module", "module"},
    wrappers=kinds("export_statement ambient_declaration expression_statement"),
    bindings=JAVASCRIPT.bindings - {"field_definition"} | {"public_field_definition"},
    imports=kinds("import_statement import_alias"),
    assignments=kinds("lexical_declaration variable_declaration public_field_definition"),
    types=kinds(
        "interface_declaration type_alias_declaration enum_declaration function_signature abstract_method_signature"
    ),
)
TSX = replace(TYPESCRIPT, grammar="tsx", strings=TYPESCRIPT.strings | {"jsx_text"})

GO = Language(
    grammar="go",
    line_comment="//",
    newlines=Newlines.ENDS,
    blanks=Blanks.FREE,
    strings=kinds("interpreted_string_literal raw_string_literal rune_literal"),
    functions=kinds("function_declaration method_declaration"),
    imports=kinds("import_declaration package_clause"),
    assignments=kinds("const_declaration var_declaration"),
    types=kinds("type_declaration"),
    blocks=kinds("block statement_list"),
    branches=kinds("if_statement for_statement expression_case type_case communication_case"),
    nests=kinds(
        "function_declaration method_declaration func_literal if_statement for_statement expression_switch_statement"
        " type_switch_statement select_statement"
    ),
    pragmas=r"//go:\w|//\s*\+build|//export |//line |//extern |/\*line ",
    verbatim=r'(?m)^\s*import\s+"C"',
    sensitive=kinds(
        "Command CommandContext Exec Query QueryRow QueryContext ExecContext HTML JS URL Sum Unmarshal Decode Pointer"
        " ParseFiles InsecureSkipVerify"
    ),
)

JAVA = Language(
    grammar="java",
    line_comment="//",
    blanks=Blanks.FREE,
    comments=kinds("line_comment block_comment"),
    strings=kinds("string_literal character_literal"),
    functions=kinds("method_declaration constructor_declaration compact_constructor_declaration static_initializer"),
    classes=kinds("class_declaration interface_declaration enum_declaration record_declaration"),
    scopes=kinds("enum_body_declarations"),
    imports=kinds("import_declaration package_declaration"),
    assignments=kinds("field_declaration constant_declaration"),
    blocks=kinds("block constructor_body"),
    branches=kinds(
        "if_statement for_statement enhanced_for_statement while_statement do_statement switch_block_statement_group"
        " switch_rule catch_clause ternary_expression"
    ),
    nests=kinds(
        "method_declaration constructor_declaration lambda_expression class_declaration if_statement for_statement"
        " enhanced_for_statement while_statement do_statement switch_expression try_statement"
        " try_with_resources_statement synchronized_statement"
    ),
    bare_members=True,
    sensitive=kinds(
        "exec ProcessBuilder readObject readValue executeQuery executeUpdate execute prepareStatement createQuery"
        " createNativeQuery forName loadClass getInstance parse evaluate eval getParameter sendRedirect lookup"
    ),
)

RUST = Language(
    grammar="rust",
    line_comment="//",
    blanks=Blanks.FREE,
    comments=kinds("line_comment block_comment"),
    strings=kinds("string_literal raw_string_literal char_literal"),
    functions=kinds("function_item"),
    classes=kinds("impl_item trait_item"),
    scopes=kinds("mod_item foreign_mod_item declaration_list"),
    leads=kinds("attribute_item"),
    imports=kinds("use_declaration extern_crate_declaration"),
    assignments=kinds("const_item static_item"),
    types=kinds("struct_item enum_item union_item type_item macro_definition function_signature_item"),
    blocks=kinds("block"),
    branches=kinds("if_expression for_expression while_expression loop_expression match_arm"),
    nests=kinds(
        "function_item closure_expression if_expression for_expression while_expression loop_expression"
        " match_expression unsafe_block async_block"
    ),
    empties=kinds("empty_statement"),
    sensitive=kinds(
        "unsafe transmute from_raw_parts from_raw from_utf8_unchecked get_unchecked Command query sql_query set_len"
        " zeroed assume_init danger_accept_invalid_certs"
    ),
)

C = Language(
    grammar="c",
    line_comment="//",
    newlines=Newlines.ENDS,
    strings=kinds("string_literal char_literal system_lib_string"),
    functions=kinds("function_definition"),
    scopes=kinds("preproc_ifdef preproc_if preproc_else preproc_elif linkage_specification declaration_list"),
    imports=kinds("preproc_include"),
    assignments=kinds("declaration preproc_def"),
    types=kinds("struct_specifier union_specifier enum_specifier type_definition preproc_function_def"),
    blocks=kinds("compound_statement"),
    branches=kinds("if_statement for_statement while_statement do_statement case_statement conditional_expression"),
    nests=kinds("function_definition if_statement for_statement while_statement do_statement switch_statement"),
    sensitive=kinds(
        "system popen exec execl execlp execv execvp gets strcpy strcat sprintf vsprintf scanf sscanf memcpy memmove"
        " strncpy malloc realloc free alloca tmpnam mktemp"
    ),
)

CPP = replace(
    C,
    grammar="cpp",
    strings=C.strings | {"raw_string_literal"},
    classes=kinds("class_specifier struct_specifier union_specifier"),
    scopes=C.scopes | {"namespace_definition"},
    wrappers=kinds("template_declaration"),
    imports=kinds("preproc_include using_declaration namespace_alias_definition"),
    types=kinds("enum_specifier type_definition preproc_function_def alias_declaration concept_definition"),
    branches=C.branches | {"for_range_loop", "catch_clause"},
    nests=C.nests | {"for_range_loop", "try_statement", "lambda_expression"},
    bare_members=True,
    sensitive=C.sensitive | {"reinterpret_cast", "const_cast", "delete", "new", "release"},
)

CSHARP = Language(
    grammar="csharp",
    line_comment="//",
    newlines=Newlines.ENDS,
    strings=kinds(
        "string_literal verbatim_string_literal raw_string_literal interpolated_string_expression character_literal"
    ),
    functions=kinds(
        "method_declaration constructor_declaration destructor_declaration operator_declaration"
        " conversion_operator_declaration local_function_statement"
    ),
    classes=kinds("class_declaration struct_declaration record_declaration interface_declaration"),
    scopes=kinds("namespace_declaration preproc_if preproc_else declaration_list"),
    wrappers=kinds("global_statement"),
    imports=kinds("using_directive file_scoped_namespace_declaration"),
    assignments=kinds("field_declaration"),
    types=kinds("enum_declaration delegate_declaration"),
    blocks=kinds("block"),
    branches=kinds(
        "if_statement for_statement foreach_statement while_statement do_statement switch_section switch_expression_arm"
        " catch_clause conditional_expression"
    ),
    nests=kinds(
        "method_declaration constructor_declaration local_function_statement lambda_expression if_statement"
        " for_statement foreach_statement while_statement do_statement switch_statement try_statement lock_statement"
    ),
    bare_members=True,
    sensitive=kinds(
        "Start ExecuteSqlRaw FromSqlRaw ExecuteReader ExecuteNonQuery ExecuteScalar Deserialize Raw Load Parse"
        " DllImport unsafe Redirect"
    ),
)

RUBY = Language(
    grammar="ruby",
    line_comment="#",
    newlines=Newlines.ENDS,
    blanks=Blanks.VERBATIM,
    strings=kinds(
        "string string_array symbol_array heredoc_body regex subshell delimited_symbol character uninterpreted"
    ),
    functions=kinds("method singleton_method"),
    classes=kinds("class module singleton_class"),
    scopes=kinds("body_statement"),
    assignments=kinds("assignment"),
    blocks=kinds("body_statement then do block_body"),
    branches=kinds("if unless while until for when rescue elsif conditional if_modifier unless_modifier"),
    nests=kinds("method singleton_method lambda if unless while until for case begin block do_block"),
    pragmas=r"#!|#\s*(?:frozen_string_literal|warn_indent|typed|shareable_constant_value)\s*:|#.*coding[:=]",
    bare_members=True,
    sensitive=kinds(f"{_SHELL_CALLS} instance_eval class_eval send constantize load html_safe raw open where"),
)

PHP = Language(
    grammar="php",
    line_comment="//",
    blanks=Blanks.FREE,
    strings=kinds("string encapsed_string heredoc nowdoc shell_command_expression"),
    functions=kinds("function_definition method_declaration"),
    classes=kinds("class_declaration interface_declaration trait_declaration enum_declaration"),
    scopes=kinds("namespace_definition compound_statement if_statement else_clause"),
    imports=kinds("namespace_use_declaration namespace_definition php_tag"),
    assignments=kinds("const_declaration property_declaration expression_statement"),
    blocks=kinds("compound_statement"),
    branches=kinds(
        "if_statement else_if_clause for_statement foreach_statement while_statement do_statement case_statement"
        " match_conditional_expression catch_clause conditional_expression"
    ),
    nests=kinds(
        "function_definition method_declaration anonymous_function arrow_function if_statement for_statement"
        " foreach_statement while_statement do_statement switch_statement match_expression try_statement"
    ),
    pragmas=r"/\*\*[\s\S]*@[A-Z]",
    verbatim=r"\?>",
    sensitive=kinds(
        f"{_SHELL_CALLS} unserialize include require include_once require_once query mysqli_query assert preg_replace"
        " extract header move_uploaded_file file_get_contents md5 sha1"
    ),
)

KOTLIN = Language(
    grammar="kotlin",
    line_comment="//",
    newlines=Newlines.ENDS,
    comments=kinds("line_comment multiline_comment"),
    strings=kinds("string_literal character_literal shebang_line"),
    functions=kinds("function_declaration secondary_constructor anonymous_initializer"),
    classes=kinds("class_declaration object_declaration companion_object"),
    imports=kinds("import_header import_list package_header"),
    assignments=kinds("property_declaration"),
    types=kinds("type_alias"),
    blocks=kinds("function_body statements"),
    branches=kinds("if_expression for_statement while_statement do_while_statement when_entry catch_block"),
    nests=kinds(
        "function_declaration lambda_literal if_expression for_statement while_statement do_while_statement"
        " when_expression try_expression"
    ),
    bare_members=True,
    sensitive=JAVA.sensitive,
)

SWIFT = Language(
    grammar="swift",
    line_comment="//",
    newlines=Newlines.ENDS,
    comments=kinds("comment multiline_comment"),
    strings=kinds("line_string_literal multi_line_string_literal raw_string_literal regex_literal shebang_line"),
    functions=kinds("function_declaration init_declaration deinit_declaration subscript_declaration"),
    classes=kinds("class_declaration protocol_declaration"),
    imports=kinds("import_declaration"),
    assignments=kinds("property_declaration"),
    types=kinds("typealias_declaration"),
    blocks=kinds("function_body statements"),
    branches=kinds(
        "if_statement guard_statement for_statement while_statement repeat_while_statement switch_entry catch_block"
        " ternary_expression"
    ),
    nests=kinds(
        "function_declaration init_declaration lambda_literal if_statement for_statement while_statement"
        " repeat_while_statement switch_statement do_statement"
    ),
    pragmas=r"//\s*swift-tools-version",
    bare_members=True,
    sensitive=kinds("Process launch evaluateJavaScript unarchiveObject NSPredicate UnsafeMutablePointer unsafeBitCast"),
)

SCALA = Language(
    grammar="scala",
    line_comment="//",
    newlines=Newlines.OFFSIDE,
    comments=kinds("comment block_comment"),
    strings=kinds("string interpolated_string_expression character_literal"),
    functions=kinds("function_definition"),
    classes=kinds("class_definition object_definition trait_definition enum_definition extension_definition"),
    scopes=kinds("package_object given_definition"),
    imports=kinds("import_declaration package_clause"),
    assignments=kinds("val_definition var_definition"),
    types=kinds("type_definition"),
    blocks=kinds("block indented_block"),
    branches=kinds("if_expression for_expression while_expression case_clause catch_clause"),
    nests=kinds(
        "function_definition lambda_expression if_expression for_expression while_expression match_expression"
        " try_expression"
    ),
    pragmas=r"//>\s*using",
    bare_members=True,
    sensitive=JAVA.sensitive | {"sql", "Process"},
)

LUA = Language(
    grammar="lua",
    line_comment="--",
    blanks=Blanks.FREE,
    strings=kinds("string hash_bang_line"),
    functions=kinds("function_declaration"),
    scopes=kinds("if_statement block"),
    bindings=kinds("assignment_statement variable_declaration"),
    function_values=kinds("function_definition"),
    assignments=kinds("variable_declaration assignment_statement"),
    blocks=kinds("block"),
    branches=kinds("if_statement elseif_statement for_statement while_statement repeat_statement"),
    nests=kinds("function_declaration function_definition if_statement for_statement while_statement repeat_statement"),
    sensitive=kinds("execute popen load loadstring loadfile dofile setfenv"),
)

BASH = Language(
    grammar="bash",
    line_comment="#",
    newlines=Newlines.ENDS,
    blanks=Blanks.VERBATIM,
    strings=kinds("string raw_string ansi_c_string translated_string heredoc_body regex"),
    functions=kinds("function_definition"),
    assignments=kinds("variable_assignment declaration_command"),
    blocks=kinds("compound_statement"),
    branches=kinds("if_statement elif_clause for_statement c_style_for_statement while_statement case_item"),
    nests=kinds(
        "function_definition if_statement for_statement c_style_for_statement while_statement case_statement subshell"
    ),
    pragmas=r"#!|#\s*shellcheck\s+shell=",
    sensitive=kinds("eval exec source rm curl wget sudo chmod chown mktemp dd"),
)
