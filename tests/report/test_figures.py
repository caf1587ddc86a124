from pbpk.report import figures


def panels(figure):
    return [axes for axes in figure.axes if axes.axison]


def test_one_panel_for_each_organ(khot):
    figure = figures.fit_figure(khot)
    assert {axes.get_title(loc="left") for axes in panels(figure)} == set(khot.joint.counts.table["organ"])


def test_groups_have_their_own_panels(zhuang):
    titles = [axes.get_title(loc="left") for axes in panels(figures.fit_figure(zhuang))]
    assert titles == [
        "lung\niv",
        "kidney left\nportal_injured",
        "kidney right\nportal_injured",
        "kidney\nportal_injured",
    ]


def test_a_range_from_zero_is_not_lost_on_a_logarithmic_axis(patients):
    for figure in (figures.fit_figure(patients), figures.observed_predicted_figure(patients)):
        for axes in panels(figure):
            low, high = axes.get_ylim()
            assert low < high
            assert axes.get_yscale() == "linear" or low > 0.0


def test_one_panel_for_each_reading(khot, zhuang):
    assert len(panels(figures.observed_predicted_figure(khot))) == 1
    assert len(panels(figures.observed_predicted_figure(zhuang))) == 2


def test_every_free_parameter_has_its_line(khot):
    (axes,) = panels(figures.parameters_figure(khot))
    free = [parameter.name for parameter in khot.joint.estimated if not parameter.prior.is_fixed]
    assert [label.get_text() for label in axes.get_yticklabels()] == free
