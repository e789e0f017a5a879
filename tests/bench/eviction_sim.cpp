// ./dev bench eviction: the eviction policies on a registry's traffic, beside what is possible.
//
//   eviction_sim            the table; then, over several seeds, how far archway's policy is ahead
//   eviction_sim --check    a short run over several seeds
//
// Either fails unless archway's policy has more hits than LRU and FIFO, by requests and by bytes.

#include "tests/bench/eviction_optimum.hpp"
#include "tests/bench/eviction_policies.hpp"
#include "tests/bench/eviction_trace.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <malloc.h>
#include <map>
#include <string>
#include <vector>

namespace archway::bench {
namespace {

/// How many traces of how many events the lead is checked on.
struct Check {
  std::uint64_t seeds;
  std::size_t events;
};
constexpr Check short_check{3, 6'000};
constexpr Check long_check{5, TraceShape{}.events};

HitRatio replay(const Trace& trace, std::uint64_t capacity, const Contender& contender) {
  const auto policy = contender.make(trace.sizes.size(), capacity);
  std::uint64_t used = 0;
  double hits = 0;
  double hit_bytes = 0;
  double bytes = 0;
  for (const auto blob : trace.asked) {
    const auto size = trace.sizes[blob];
    bytes += static_cast<double>(size);
    if (policy->ask(blob)) {
      hits += 1;
      hit_bytes += static_cast<double>(size);
      continue;
    }
    if (size > capacity) continue;
    while (used + size > capacity) used -= policy->evict();
    policy->add(blob, size);
    used += size;
  }
  return {.requests = hits / static_cast<double>(trace.asked.size()), .bytes = hit_bytes / bytes};
}

struct Line {
  std::string name;
  std::function<HitRatio(const Trace&, std::uint64_t capacity)> run;
};

std::vector<Line> quick_lines() {
  std::vector<Line> all;
  for (const auto& contender : contenders()) {
    all.push_back({contender.name, [&contender](const Trace& trace, std::uint64_t capacity) {
                     return replay(trace, capacity, contender);
                   }});
  }
  all.push_back({"Belady, knows the future", farthest_goes_first});
  all.push_back({"upper bound", upper_bound});
  return all;
}

std::vector<Line> all_lines() {
  auto all = quick_lines();
  all.insert(all.end() - 1, {"PFOO-L, and the sizes", within_reach});
  return all;
}

std::uint64_t part_of(const Trace& trace, int percent) {
  return trace.working_set / 100 * static_cast<std::uint64_t>(percent);
}

void print_table() {
  const auto trace = make_trace({});
  constexpr double gib = 1024.0 * 1024 * 1024;
  std::printf(
      "%zu requests for %zu blobs, working set %.0f GiB; hits in %% of requests | bytes\n\n",
      trace.asked.size(), trace.sizes.size(), static_cast<double>(trace.working_set) / gib);
  const auto percents = {1, 5, 10, 25};
  std::printf("%-26s", "cache, % of working set");
  for (const int percent : percents) std::printf("%14d", percent);
  std::printf("\n");
  for (const auto& line : all_lines()) {
    std::printf("%-26s", line.name.c_str());
    for (const int percent : percents) {
      const auto ratio = line.run(trace, part_of(trace, percent));
      std::printf("  %5.1f |%5.1f", ratio.requests * 100, ratio.bytes * 100);
    }
    std::printf("\n");
  }
}

std::size_t allocated() {
  const auto facts = ::mallinfo2();
  return facts.uordblks + facts.hblkhd;
}

/// What the policy needs for a hundred thousand blobs.
void print_memory() {
  constexpr std::uint32_t blobs = 100'000;
  const auto before = allocated();
  const auto policy = contenders().back().make(blobs, 0);
  for (std::uint32_t blob = 0; blob < blobs; ++blob) policy->add(blob, blob);
  std::printf("\nmemory: %.0f bytes a blob, of %u\n",
              static_cast<double>(allocated() - before) / blobs, blobs);
}

/// At 5 and 10 % of the working set archway's policy has more hits than LRU and FIFO by either
/// measure, and nobody passes the bound; how many times that was not so.
int check_lead(const Check& check) {
  int wrong = 0;
  double least = 1;
  for (std::uint64_t seed = 1; seed <= check.seeds; ++seed) {
    const auto trace = make_trace({.seed = seed, .events = check.events});
    for (const int percent : {5, 10}) {
      std::map<std::string, HitRatio> got;
      for (const auto& line : quick_lines())
        got[line.name] = line.run(trace, part_of(trace, percent));
      const auto& ours = got["archway"];
      const auto expect = [&](bool holds, const std::string& what) {
        if (holds) return;
        std::printf("seed %d, %d %%: not %s\n", static_cast<int>(seed), percent, what.c_str());
        ++wrong;
      };
      for (const char* const name : {"FIFO", "LRU"}) {
        expect(ours.requests > got[name].requests, std::string("ahead by requests of ") + name);
        expect(ours.bytes > got[name].bytes, std::string("ahead by bytes of ") + name);
        least = std::min({least, ours.requests - got[name].requests, ours.bytes - got[name].bytes});
      }
      for (const auto& [name, ratio] : got) {
        expect(ratio.requests <= got["upper bound"].requests, "within the bound: " + name);
        expect(ratio.bytes <= got["upper bound"].bytes, "within the bound: " + name);
      }
    }
  }
  std::printf("\n%d seeds, at 5 and 10 %%: ahead of LRU and FIFO by at least %.1f points\n",
              static_cast<int>(check.seeds), least * 100);
  return wrong;
}

}  // namespace
}  // namespace archway::bench

int main(int argc, char** argv) {
  const bool check = argc == 2 && std::strcmp(argv[1], "--check") == 0;
  if (argc > 1 && !check) {
    std::fprintf(stderr, "eviction_sim takes nothing or --check\n");
    return 2;
  }
  using namespace archway::bench;
  if (!check) {
    print_table();
    print_memory();
  }
  return check_lead(check ? short_check : long_check) == 0 ? 0 : 1;
}
