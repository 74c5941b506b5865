"""The comparison of scripts/mapping_cost.py says what its numbers say."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import mapping_cost


def step(conversions, products, adc, decay, total, low, high):
    return {"counts": {"adc_conversion": conversions, "digital_multiply": products}, "parts": {"adc": adc, "digital": decay},
            "total": total, "low": low, "high": high}


class ByHand(unittest.TestCase):
    fused = step(17, 0, 45e-12, 0.0, 90e-12, 40e-12, 150e-12)

    def test_cheaper_decay_is_less_on_both_ends(self):
        text = mapping_cost.by_hand(self.fused, step(1, 64, 3e-12, 6e-12, 18e-12, 10e-12, 30e-12))
        self.assertIn("* Multiplications: 64 of 8 x 8 bits with decay and feedthrough, 2.00 times the claim's 32", text)
        self.assertIn("9 pJ against 45 pJ of ADC in the fused array, 5.0 times less", text)
        self.assertIn("5.0 times less; with all prices low it is 4.0 times less", text)
        self.assertIn("moves the factor, not its sign", text)

    def test_dearer_decay_is_more_and_the_sign_may_change(self):
        text = mapping_cost.by_hand(self.fused, step(2, 16, 60e-12, 30e-12, 180e-12, 20e-12, 300e-12))
        self.assertIn("digital decay 2, 60 pJ (2.00 times)", text)
        self.assertIn("16 of 8 x 8 bits with decay and feedthrough, 0.50 times the claim's 32", text)
        self.assertIn("90 pJ against 45 pJ of ADC in the fused array, 2.0 times more", text)
        self.assertIn("180 against 90 pJ, 2.0 times more; with all prices low it is 2.0 times less", text)
        self.assertIn("moves the factor and its sign", text)


if __name__ == "__main__":
    unittest.main()
