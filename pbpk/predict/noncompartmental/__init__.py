"""Noncompartmental analysis: rules, slope of a tail, profile of a subject, destructive sampling, contrast of groups."""
