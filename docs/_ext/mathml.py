"""Formulas as MathML, which browsers render without a script from another site."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def visitors(as_block):
    def visit(self, node):
        self.body.append(tex2mathml(node.astext(), as_block=as_block))
        raise nodes.SkipNode

    return visit, None


def setup(app):
    app.add_html_math_renderer("mathml", visitors(False), visitors(True))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
