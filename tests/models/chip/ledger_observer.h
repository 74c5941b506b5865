#pragma once

#include <tlm>

#include "models/cost/ledger.h"

namespace imssa::testing {

/// Takes the actions of a simulated chip into a ledger.
class LedgerObserver final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    explicit LedgerObserver(EnergyLedger& ledger) : ledger_(ledger) {}
    void write(const ActionEvent& event) override { ledger_.record(event); }

private:
    EnergyLedger& ledger_;
};

}  // namespace imssa::testing
