#include "cli/terminal.h"

namespace parley::cli {

int report_faults(Terminal& terminal, const core::Faults& faults) {
  for (const core::Fault& fault : faults) {
    if (!fault.where.empty()) terminal.err << fault.where << ": ";
    terminal.err << fault.what << '\n';
  }
  return kWrongInput;
}

void append(core::Faults& all, const core::Faults& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace parley::cli
