#include "cli/report/comparison.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "cli/report/json_writer.h"
#include "cli/report/quantities.h"
#include "cli/report/run_report.h"
#include "cli/report/spread.h"
#include "cli/report/text_table.h"

namespace parley::cli {
namespace {

std::string kind_of(const core::Machine& machine, const core::CopyRecord& copy) {
  if (copy.reason == core::CopyReason::kWriteBack) return "write-back";
  if (copy.from == copy.to) return "local";
  const auto side = [&](core::SpaceId space) {
    return std::string(machine.space(space).is_host ? "host" : "device");
  };
  return side(copy.from) + "->" + side(copy.to);
}

double mean_busy(const core::Machine& machine, const core::RunRecord& run) {
  double sum = 0.0;
  double all = 0.0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < machine.device_count(); ++i) {
    const double share = busy_share(run, core::DeviceId(i));
    all += share;
    if (machine.device(core::DeviceId(i)).device_class == "cpu") continue;
    sum += share;
    ++count;
  }
  if (count > 0) return sum / static_cast<double>(count);
  return machine.device_count() == 0 ? 0.0 : all / static_cast<double>(machine.device_count());
}

/// The repetitions of one setting.
struct Line {
  const ComparisonRow* first = nullptr;
  std::vector<const ComparisonRow*> rows;
  std::vector<std::int64_t> makespans_ns;
  std::vector<double> above_bounds;
  Spread spread;  // once all runs are there
};

struct Block {
  std::string workload, machine;
  std::int64_t gpu_bytes = 0;
  std::vector<Line> lines;
};

void add_run(Line& line, const ComparisonRow& row) {
  if (line.first == nullptr) line.first = &row;
  line.rows.push_back(&row);
  line.makespans_ns.push_back(row.makespan_ns);
  line.above_bounds.push_back(row.above_bound);
}

/// The lower of the two in the middle of an even number.
double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[(values.size() - 1) / 2];
}

std::vector<Block> blocks_of(const std::vector<ComparisonRow>& rows) {
  std::vector<Block> blocks;
  for (const ComparisonRow& row : rows) {
    auto block = std::find_if(blocks.begin(), blocks.end(), [&](const Block& b) {
      return b.workload == row.workload && b.machine == row.machine && b.gpu_bytes == row.gpu_bytes;
    });
    if (block == blocks.end()) {
      block = blocks.insert(block, {row.workload, row.machine, row.gpu_bytes, {}});
    }
    auto line = std::find_if(block->lines.begin(), block->lines.end(), [&](const Line& l) {
      return l.first->policy_text == row.policy_text && l.first->error == row.error;
    });
    if (line == block->lines.end()) line = block->lines.insert(line, Line());
    add_run(*line, row);
  }
  for (Block& block : blocks) {
    for (Line& line : block.lines) line.spread = spread_of(line.makespans_ns);
  }
  return blocks;
}

/// Kinds of links that any run of the block used.
std::vector<std::string> links_of(const Block& block) {
  std::vector<std::string> kinds;
  for (const Line& line : block.lines) {
    for (const auto& [kind, bytes] : line.first->link_bytes) {
      if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
    }
  }
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

/// The best median first, failures last.
void sort_by_median(Block& block) {
  std::stable_sort(block.lines.begin(), block.lines.end(), [](const Line& a, const Line& b) {
    return std::pair(!a.first->error.empty(), a.spread.median) <
           std::pair(!b.first->error.empty(), b.spread.median);
  });
}

std::string range_text(std::int64_t from_ns, std::int64_t to_ns) {
  if (from_ns == to_ns) return "same";
  return text_of(core::Duration(from_ns)) + " .. " + text_of(core::Duration(to_ns));
}

std::vector<std::string> cells_of(const Line& line, const std::vector<std::string>& links,
                                  bool has_repetitions) {
  const ComparisonRow& row = *line.first;
  const Spread& spread = line.spread;
  std::vector<std::string> cells = {row.policy_text, text_of(core::Duration(spread.median))};
  if (has_repetitions) {
    cells.push_back(range_text(spread.first_quartile, spread.third_quartile));
    cells.push_back(range_text(spread.least, spread.most));
  }
  const bool has_bound = row.bounds.best().count() > 0;
  cells.push_back(has_bound ? text_of_share(median(line.above_bounds)) : "-");
  for (const std::string& kind : links) {
    const auto found = row.link_bytes.find(kind);
    cells.push_back(found == row.link_bytes.end() ? "-" : text_of(core::Bytes(found->second)));
  }
  cells.push_back(text_of_count(row.copies));
  cells.push_back(text_of_count(row.evictions));
  cells.push_back(text_of_share(row.mean_busy));
  return cells;
}

/// Bounds differ from run to run where durations do.
std::string bound_text(const Block& block) {
  const ComparisonRow* lowest = nullptr;
  core::Duration highest;
  for (const Line& line : block.lines) {
    for (const ComparisonRow* row : line.rows) {
      if (!row->error.empty()) continue;
      if (lowest == nullptr || row->bounds.best() < lowest->bounds.best()) lowest = row;
      highest = std::max(highest, row->bounds.best());
    }
  }
  if (lowest == nullptr || highest <= core::Duration(0)) return "";
  const std::string low = text_of(lowest->bounds.best());
  if (low == text_of(highest)) {
    return ": lower bound " + low + " (" + name_of_best(lowest->bounds) + ")";
  }
  return ": lower bounds " + low + " .. " + text_of(highest);
}

void print_block(const Block& block, std::ostream& stream) {
  stream << block.workload << " on " << block.machine;
  if (block.gpu_bytes > 0) stream << " with " << text_of(core::Bytes(block.gpu_bytes)) << " a GPU";
  stream << bound_text(block) << '\n';
  const std::vector<std::string> links = links_of(block);
  const bool has_repetitions = std::any_of(block.lines.begin(), block.lines.end(),
                                           [](const Line& line) { return line.spread.runs > 1; });
  TextTable table;
  table.add_column("policies");
  table.add_column(has_repetitions ? "median" : "makespan", Align::kRight);
  if (has_repetitions) {
    table.add_column("middle half", Align::kRight);
    table.add_column("range", Align::kRight);
  }
  table.add_column("above bound", Align::kRight);
  for (const std::string& kind : links) table.add_column(kind, Align::kRight);
  table.add_column("copies", Align::kRight);
  table.add_column("evictions", Align::kRight);
  table.add_column("busy", Align::kRight);
  for (const Line& line : block.lines) {
    if (line.first->error.empty()) table.add_row(cells_of(line, links, has_repetitions));
  }
  if (table.has_rows()) table.print(stream, 2);
  // A cause that several sets of policies share is told once.
  std::vector<std::pair<std::string, std::string>> failures;  // policies, error
  for (const Line& line : block.lines) {
    const std::string& error = line.first->error;
    if (error.empty()) continue;
    const auto same =
        std::ranges::find(failures, error, &std::pair<std::string, std::string>::second);
    if (same == failures.end()) {
      failures.emplace_back(line.first->policy_text, error);
    } else {
      same->first += "; " + line.first->policy_text;
    }
  }
  for (const auto& [policies, error] : failures) {
    stream << "  " << policies << ": failed: " << error << '\n';
  }
}

std::string window_text(const ComparisonRow& row) {
  return row.window == 0 ? "unlimited" : std::to_string(row.window);
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void write_setting(const ComparisonRow& row, JsonWriter& json) {
  json.member("workload", row.workload).member("machine", row.machine);
  if (row.gpu_bytes > 0) json.member("gpu_bytes", row.gpu_bytes);
  json.key("policies").begin_object();
  for (const auto& [kind, text] : row.policies) json.member(kind, text);
  if (row.writes_back_early) json.member("write_back", "early");
  json.end_object().key("window");
  row.window == 0 ? json.value("unlimited") : json.value(row.window);
  if (row.model.empty()) return;
  json.key("model").begin_object();
  for (const auto& [name, text] : row.model) json.member(name, text);
  json.end_object();
}

/// What the repetitions of each setting come to, those that failed left out.
void write_settings(const std::vector<ComparisonRow>& rows, JsonWriter& json) {
  json.line_break().key("settings").begin_array();
  for (const Block& block : blocks_of(rows)) {
    for (const Line& line : block.lines) {
      if (!line.first->error.empty()) continue;
      json.line_break().begin_object();
      write_setting(*line.first, json);
      const Spread& spread = line.spread;
      json.member("runs", spread.runs).key("makespan_ns").begin_object();
      json.member("least", spread.least).member("first_quartile", spread.first_quartile);
      json.member("median", spread.median).member("third_quartile", spread.third_quartile);
      json.member("most", spread.most).end_object().end_object();
    }
  }
  json.line_break().end_array();
}

/// The spread of the repetitions that a row is one of.
std::map<const ComparisonRow*, Spread> spreads_by_row(const std::vector<ComparisonRow>& rows) {
  std::map<const ComparisonRow*, Spread> spreads;
  for (const Block& block : blocks_of(rows)) {
    for (const Line& line : block.lines) {
      for (const ComparisonRow* row : line.rows) spreads[row] = line.spread;
    }
  }
  return spreads;
}

void write_figures(const ComparisonRow& row, JsonWriter& json) {
  json.member("makespan_ns", row.makespan_ns).member("bound_ns", row.bounds.best().count());
  json.key("bounds_ns").begin_object();
  json.member("critical_path", row.bounds.critical_path.count());
  json.member("work", row.bounds.work.count());
  json.member("transfer", row.bounds.transfer.count()).end_object();
  json.member("above_bound", row.above_bound);
  json.key("bytes_by_link").begin_object();
  for (const auto& [kind, bytes] : row.link_bytes) json.member(kind, bytes);
  json.end_object().key("bytes_by_kind").begin_object();
  for (const auto& [kind, bytes] : row.bytes_by_kind) json.member(kind, bytes);
  json.end_object().member("copies", row.copies).member("evictions", row.evictions);
  json.member("written_back_bytes", row.written_back_bytes).member("refetches", row.refetches);
  json.key("busy").begin_object();
  for (const auto& [device, share] : row.busy) json.member(device, share);
  json.end_object().member("mean_busy", row.mean_busy);
}

}  // namespace

ComparisonRow comparison_row(const RunResult& result) {
  ComparisonRow row;
  row.policies = policy_choice(result.options);
  row.writes_back_early = result.options.writes_back_early;
  row.window = result.options.window;
  row.seed = result.options.seed;
  row.makespan_ns = result.run.makespan.ns();
  row.bounds = result.bounds.value_or(sim::Bounds());
  row.above_bound = above_bound(result.run.makespan, row.bounds);
  for (const auto& [kind, traffic] : traffic_by_kind(result.machine, result.run)) {
    row.link_bytes[kind] = traffic.bytes.count();
  }
  for (const core::CopyRecord& copy : result.run.copies) {
    row.bytes_by_kind[kind_of(result.machine, copy)] += copy.bytes.count();
  }
  row.copies = result.statistics.copies;
  row.evictions = result.statistics.evictions;
  row.written_back_bytes = result.statistics.written_back_bytes.count();
  row.refetches = result.statistics.refetches;
  for (std::size_t i = 0; i < result.machine.device_count(); ++i) {
    const core::DeviceId device(i);
    row.busy.emplace_back(result.machine.device(device).name, busy_share(result.run, device));
  }
  row.mean_busy = mean_busy(result.machine, result.run);
  return row;
}

void print_comparison(const std::vector<ComparisonRow>& rows, std::ostream& stream) {
  bool is_first = true;
  for (Block& block : blocks_of(rows)) {
    sort_by_median(block);
    if (!is_first) stream << '\n';
    is_first = false;
    print_block(block, stream);
  }
}

void write_comparison_csv(const std::vector<ComparisonRow>& rows, std::ostream& stream) {
  std::vector<std::string> links;
  for (const ComparisonRow& row : rows) {
    for (const auto& [kind, bytes] : row.link_bytes) {
      if (std::find(links.begin(), links.end(), kind) == links.end()) links.push_back(kind);
    }
  }
  std::sort(links.begin(), links.end());
  stream << "workload,machine,mapper,order,prefetch,evict,source,window,seed,error,makespan_ns,"
            "critical_path_ns,work_ns,transfer_ns";
  for (const std::string& kind : links) stream << ',' << csv_cell("bytes_" + kind);
  stream << ",copies,evictions,mean_busy,runs,least_ns,first_quartile_ns,median_ns,"
            "third_quartile_ns,most_ns,gpu_bytes,written_back_bytes,refetches\n";
  const std::map<const ComparisonRow*, Spread> spreads = spreads_by_row(rows);
  for (const ComparisonRow& row : rows) {
    stream << csv_cell(row.workload) << ',' << csv_cell(row.machine);
    for (const auto& [kind, text] : row.policies) stream << ',' << csv_cell(text);
    stream << ',' << window_text(row) << ',' << row.seed << ',' << csv_cell(row.error);
    if (!row.error.empty()) {
      stream << std::string(13 + links.size(), ',') << ',' << row.gpu_bytes << ",,\n";
      continue;
    }
    stream << ',' << row.makespan_ns << ',' << row.bounds.critical_path.count() << ','
           << row.bounds.work.count() << ',' << row.bounds.transfer.count();
    for (const std::string& kind : links) {
      const auto found = row.link_bytes.find(kind);
      stream << ',' << (found == row.link_bytes.end() ? 0 : found->second);
    }
    stream << ',' << row.copies << ',' << row.evictions << ',';
    JsonWriter(stream).value(row.mean_busy);
    const Spread& spread = spreads.at(&row);
    stream << ',' << spread.runs << ',' << spread.least << ',' << spread.first_quartile << ','
           << spread.median << ',' << spread.third_quartile << ',' << spread.most << ','
           << row.gpu_bytes << ',' << row.written_back_bytes << ',' << row.refetches << '\n';
  }
}

void write_comparison_json(const std::vector<ComparisonRow>& rows, std::ostream& stream) {
  JsonWriter json(stream);
  json.begin_object().member("format", "parley-comparison").member("version", 1);
  json.key("rows").begin_array();
  for (const ComparisonRow& row : rows) {
    json.line_break().begin_object();
    write_setting(row, json);
    json.member("seed", row.seed);
    if (row.error.empty()) {
      write_figures(row, json);
    } else {
      json.member("error", row.error);
    }
    json.end_object();
  }
  json.line_break().end_array();
  write_settings(rows, json);
  json.end_object();
  stream << '\n';
}

}  // namespace parley::cli
