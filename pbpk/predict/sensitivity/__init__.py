"""Sensitivity: which parameters decide a number of a forecast, near one point and over all that is believed."""
