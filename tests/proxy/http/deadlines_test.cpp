#include "proxy/http/deadlines.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <functional>
#include <memory>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

class Watched final : public Expiring {
 public:
  Watched(net::io_context& context, std::function<void()> then)
      : deadlines_(net::use_service<Deadlines>(context)), then_(std::move(then)) {
    deadlines_.watch(*this, context.get_executor());
  }
  ~Watched() { deadlines_.forget(*this); }

  void expire() override {
    ++times;
    if (then_) then_();
  }

  int times = 0;

 private:
  Deadlines& deadlines_;
  std::function<void()> then_;
};

TEST_CASE("a deadline that has passed is told once; one that has not is not told") {
  net::io_context context{1};
  Watched early(context, [&] { context.stop(); });
  Watched late(context, {});
  Watched never(context, {});
  early.deadline = Expiring::Clock::now();
  late.deadline = Expiring::Clock::now() + 1h;
  context.run_for(20s);
  CHECK(early.times == 1);
  context.restart();
  Watched again(context, [&] { context.stop(); });
  again.deadline = Expiring::Clock::now();
  context.run_for(20s);
  CHECK(again.times == 1);
  CHECK(early.times == 1);
  CHECK(late.times == 0);
  CHECK(never.times == 0);
}

TEST_CASE("who is forgotten is not told") {
  net::io_context context{1};
  auto gone = std::make_unique<Watched>(context, std::function<void()>());
  Watched stays(context, [&] { context.stop(); });
  gone->deadline = stays.deadline = Expiring::Clock::now();
  gone.reset();
  context.run_for(20s);
  CHECK(stays.times == 1);
}

TEST_CASE("a loop with nothing to watch has nothing to do, and watches again when asked") {
  net::io_context context{1};
  { Watched brief(context, {}); }
  context.run();  // Returns: no timer keeps it busy.
  context.restart();
  { Watched first(context, {}); }
  Watched second(context, [&] { context.stop(); });  // Before the first one's timer has noticed.
  second.deadline = Expiring::Clock::now();
  context.run_for(20s);
  CHECK(second.times == 1);
}

TEST_CASE("a process that was stopped for a minute ends nobody's connection because of that") {
  net::io_context context{1};
  Watched soon(context, {});
  Watched never(context, {});
  auto& deadlines = net::use_service<Deadlines>(context);
  const auto stopped = Expiring::Clock::now();
  soon.deadline = stopped + 10s;
  deadlines.look(stopped + 1min, stopped);
  CHECK(soon.times == 0);
  deadlines.look(stopped + 69s, stopped + 69s);
  CHECK(soon.times == 0);
  deadlines.look(stopped + 70s, stopped + 70s);
  CHECK(soon.times == 1);
  CHECK(never.times == 0);
}

TEST_CASE("a loop that is merely busy puts no deadline off") {
  net::io_context context{1};
  Watched due(context, {});
  auto& deadlines = net::use_service<Deadlines>(context);
  const auto planned = Expiring::Clock::now();
  due.deadline = planned;
  deadlines.look(planned + Deadlines::pause_min - 1ms, planned);
  CHECK(due.times == 1);
}

TEST_CASE("what is watched may outlive the loop's work") {
  auto context = std::make_unique<net::io_context>(1);
  Deadlines& deadlines = net::use_service<Deadlines>(*context);
  struct Bare final : Expiring {
    void expire() override {}
  } bare;
  deadlines.watch(bare, context->get_executor());
  context.reset();
  CHECK(!bare.is_linked());
}

}  // namespace
}  // namespace archway::proxy
