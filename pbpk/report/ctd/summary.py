from pbpk.report.document.blocks import Paragraph


def ctd_blocks(run):
    return [Paragraph("stub")]


def listing_blocks(run):
    return [Paragraph("stub")]
