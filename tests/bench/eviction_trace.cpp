#include "tests/bench/eviction_trace.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace archway::bench {
namespace {

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;
constexpr double gib = 1024 * mib;

constexpr std::size_t bases = 40;
constexpr std::size_t images = 3000;
constexpr std::size_t rollout_machines = 20;
constexpr std::size_t rollout_events = 60;  // A rollout is over after so many further events.
constexpr std::size_t tags_kept = 8;        // Of an image, in the registry.

// What one event is, of 1000; the rest are pulls by a single client.
constexpr std::uint64_t tag_events = 50;
constexpr std::uint64_t base_events = 1;
constexpr std::uint64_t rollout_begins = 15;

/// A log-normal size: half are smaller than `median`.
struct Sizes {
  double median;
  double spread;  ///< standard deviation of the natural logarithm
};
constexpr Sizes base_sizes{30 * mib, 1.2};
constexpr Sizes installed_sizes{4 * mib, 2.2};
constexpr Sizes top_sizes{300 * kib, 2.3};
constexpr Sizes config_sizes{6 * kib, 0.6};

/// The standard's engine gives the same numbers everywhere, its distributions do not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// [0, 1)
  double fraction() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  std::size_t from_to(std::size_t first, std::size_t last) {
    return first + static_cast<std::size_t>(below(last - first + 1));
  }

  std::uint64_t size(const Sizes& sizes) {
    double normal = -6;
    for (int i = 0; i < 12; ++i) normal += fraction();
    const double bytes = sizes.median * std::exp(sizes.spread * normal);
    return static_cast<std::uint64_t>(std::clamp(bytes, 1 * kib, 2 * gib));
  }

 private:
  std::mt19937_64 engine_;
};

/// The n-th is drawn in proportion to 1 / n^exponent.
class Zipf {
 public:
  Zipf(std::size_t count, double exponent) {
    double sum = 0;
    for (std::size_t n = 1; n <= count; ++n) {
      sum += 1 / std::pow(static_cast<double>(n), exponent);
      sums_.push_back(sum);
    }
  }
  std::size_t draw(Dice& dice) const {
    const double at = dice.fraction() * sums_.back();
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), at);
    return std::min(static_cast<std::size_t>(found - sums_.begin()), sums_.size() - 1);
  }

 private:
  std::vector<double> sums_;
};

using Blobs = std::vector<std::uint32_t>;

struct Image {
  std::size_t base = 0;
  Blobs installed = {};
  std::vector<Blobs> tags = {};  ///< the blobs of each, the newest last
};

class Registry {
 public:
  Registry(const TraceShape& shape, Trace& trace)
      : dice_(shape.seed), trace_(trace), images_(images), bases_(bases) {
    for (auto& base : bases_) base = make(base_sizes, dice_.from_to(1, 3));
    for (auto& image : images_) {
      image.base = base_popularity_.draw(dice_);
      image.installed = make(installed_sizes, dice_.from_to(1, 4));
      publish(image);
    }
  }

  void event() {
    const auto kind = dice_.below(1000);
    if (kind < tag_events) {
      publish(images_[popularity_.draw(dice_)]);
    } else if (kind < tag_events + base_events) {
      bases_[base_popularity_.draw(dice_)] = make(base_sizes, dice_.from_to(1, 3));
    } else if (kind < tag_events + base_events + rollout_begins) {
      begin_rollout();
    } else {
      const auto& image = images_[popularity_.draw(dice_)];
      pull(image.tags[which_tag(image)]);
    }
    go_on_with_rollouts();
  }

  /// The part of everything there is that step `step` of `steps` pulls.
  void scan(std::size_t step, std::size_t steps) {
    for (auto at = images * step / steps; at < images * (step + 1) / steps; ++at) {
      for (const auto& tag : images_[at].tags) pull(tag);
    }
  }

 private:
  struct Rollout {
    Blobs tag;
    std::size_t machines_left;
  };

  Blobs make(const Sizes& sizes, std::size_t count) {
    Blobs blobs;
    for (std::size_t i = 0; i < count; ++i) {
      blobs.push_back(static_cast<std::uint32_t>(trace_.sizes.size()));
      trace_.sizes.push_back(dice_.size(sizes));
    }
    return blobs;
  }

  void publish(Image& image) {
    if (!image.tags.empty() && dice_.below(5) == 0) {
      image.installed.back() = make(installed_sizes, 1).front();
    }
    auto tag = make(config_sizes, 1);
    for (const auto& part :
         {bases_[image.base], image.installed, make(top_sizes, dice_.from_to(1, 4))}) {
      tag.insert(tag.end(), part.begin(), part.end());
    }
    if (image.tags.size() == tags_kept) image.tags.erase(image.tags.begin());
    image.tags.push_back(std::move(tag));
  }

  /// The newest four times out of five, else an older one, the older the less likely.
  std::size_t which_tag(const Image& image) {
    std::size_t back = 0;
    while (back + 1 < image.tags.size() && dice_.below(5) == 0) ++back;
    return image.tags.size() - 1 - back;
  }

  void begin_rollout() {
    auto& image = images_[popularity_.draw(dice_)];
    if (dice_.below(2) == 0) publish(image);
    rollouts_.push_back({image.tags.back(), rollout_machines});
  }

  void go_on_with_rollouts() {
    for (auto& rollout : rollouts_) {
      if (dice_.below(rollout_events) >= rollout_machines) continue;
      pull(rollout.tag);
      --rollout.machines_left;
    }
    std::erase_if(rollouts_, [](const Rollout& rollout) { return rollout.machines_left == 0; });
  }

  void pull(const Blobs& tag) { trace_.asked.insert(trace_.asked.end(), tag.begin(), tag.end()); }

  Dice dice_;
  Trace& trace_;
  std::vector<Image> images_;
  std::vector<Blobs> bases_;
  std::vector<Rollout> rollouts_ = {};
  const Zipf popularity_{images, 0.9};
  const Zipf base_popularity_{bases, 1.0};
};

}  // namespace

Trace make_trace(const TraceShape& shape) {
  Trace trace;
  Registry registry(shape, trace);
  const auto scan_begin = shape.events / 2;
  const auto scan_steps = std::max<std::size_t>(shape.events / 20, 1);
  for (std::size_t event = 0; event < shape.events; ++event) {
    registry.event();
    if (event >= scan_begin && event < scan_begin + scan_steps) {
      registry.scan(event - scan_begin, scan_steps);
    }
  }
  std::vector<bool> seen(trace.sizes.size());
  for (const auto blob : trace.asked) {
    if (!seen[blob]) trace.working_set += trace.sizes[blob];
    seen[blob] = true;
  }
  return trace;
}

}  // namespace archway::bench
