#!/usr/bin/env python3
"""Regressions of energy and area of analog-to-digital converters on Murmann's survey (revision 2025-06-09).

    ln E [pJ]  = a + b ENOB + c ln(technology [nm]) + d ln(conversion rate [1/s])
    ln A [um2] = the same terms

Ordinary least squares on designs with 3.5 <= ENOB <= 10.5 and 1e5 <= rate <= 1e9. They are the coefficients of
models/cost/adc_models.cpp. Needs nothing but Python 3.

usage: scripts/adc_regression.py [ADCsurvey_rev20250609.csv]   (default: $IMSSA_DATA/adc-survey/..., ../shared/data/...)
"""
import csv
import math
import os
import re
import sys

NAME = os.path.join("adc-survey", "ADCsurvey_rev20250609.csv")


def number(text):
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value > 0 else None


def technology_nm(text):
    """Plain CMOS only: "0.028"; "0.18 BiCMOS", "Bipolar" and the like are left out."""
    return 1000.0 * float(text) if re.fullmatch(r"[0-9.]+", text.strip()) else None


def designs(path):
    with open(path, newline="", encoding="utf-8", errors="replace") as stream:
        for row in csv.DictReader(stream):
            power, rate = number(row["P [W]"]), number(row["fsnyq [Hz]"])
            sndr, nm = number(row["SNDR_plot [dB]"]), technology_nm(row["TECHNOLOGY"])
            if not (power and rate and sndr and nm):
                continue
            enob = (sndr - 1.76) / 6.02
            if not (3.5 <= enob <= 10.5 and 1e5 <= rate <= 1e9):
                continue
            area = number(row["AREA [mm^2]"])
            yield {
                "sar": "SAR" in row["ARCHITECTURE"],
                "terms": [1.0, enob, math.log(nm), math.log(rate)],
                "ln_energy_pj": math.log(1e12 * power / rate),
                "ln_area_um2": math.log(1e6 * area) if area else None,
            }


def solve(matrix, right):
    n = len(right)
    rows = [list(line) + [value] for line, value in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, n):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    solution = [0.0] * n
    for i in reversed(range(n)):
        solution[i] = (rows[i][n] - sum(rows[i][k] * solution[k] for k in range(i + 1, n))) / rows[i][i]
    return solution


def regression(points):
    size = len(points[0][0])
    normal = [[sum(x[i] * x[j] for x, _ in points) for j in range(size)] for i in range(size)]
    right = [sum(x[i] * y for x, y in points) for i in range(size)]
    coefficients = solve(normal, right)
    residuals = [y - sum(c * v for c, v in zip(coefficients, x)) for x, y in points]
    deviation = math.sqrt(sum(r * r for r in residuals) / len(points))
    return coefficients, deviation


def main():
    places = [os.path.join(os.environ.get("IMSSA_DATA", ""), NAME), os.path.join("..", "shared", "data", NAME)]
    paths = sys.argv[1:] or [place for place in places if os.path.exists(place)]
    if not paths or not os.path.exists(paths[0]):
        print("error: the survey is not here: give ADCsurvey_rev20250609.csv of github.com/bmurmann/ADC-survey",
              file=sys.stderr)
        return 2
    everything = list(designs(paths[0]))
    print("set,quantity,designs,constant,per_enob,per_ln_nm,per_ln_hz,residual_deviation")
    for name, chosen in (("all", everything), ("sar", [d for d in everything if d["sar"]])):
        for quantity in ("ln_energy_pj", "ln_area_um2"):
            points = [(d["terms"], d[quantity]) for d in chosen if d[quantity] is not None]
            coefficients, deviation = regression(points)
            figures = ",".join("%.4f" % c for c in coefficients)
            print("%s,%s,%d,%s,%.2f" % (name, quantity, len(points), figures, deviation))
    return 0


if __name__ == "__main__":
    sys.exit(main())
