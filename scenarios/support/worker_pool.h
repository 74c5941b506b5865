#pragma once

#include <functional>
#include <string>
#include <vector>

namespace imssa {

/// Runs jobs in child processes (a SystemC kernel can be elaborated once a process), `workers` at a time, and returns
/// what each job returned, in the order of the jobs. `progress(done)` in a job adds to a counter that is reported to
/// `on_progress` in the parent. A UserError of a job is thrown again here; a job that dies is an error that names it.
/// On an error or an interrupt all children are ended.
std::vector<std::string> run_in_processes(
    int jobs, int workers, const std::function<std::string(int job, const std::function<void(int)>& progress)>& run,
    const std::function<void(int done)>& on_progress);

}  // namespace imssa
