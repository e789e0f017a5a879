#include "proxy/admin/together.hpp"

#include "tests/support/fakes.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

namespace net = boost::asio;

using Answers = std::vector<std::optional<std::string>>;

net::awaitable<std::string> at_once(std::string text) {
  co_return text;
}

net::awaitable<std::string> after(std::shared_ptr<Wakeup> wakeup, std::string text) {
  co_await wakeup->wait(test::patience);
  co_return text;
}

net::awaitable<std::string> firing(std::shared_ptr<Wakeup> wakeup, std::string text) {
  wakeup->fire();
  co_return text;
}

net::awaitable<std::string> throwing() {
  throw std::runtime_error("no");
  co_return "";
}

TEST_CASE("all run at once, and each answer stands where its question stood") {
  net::io_context context{1};
  test::QuietLog log;
  const auto wakeup = Wakeup::make(context.get_executor());
  std::vector<net::awaitable<std::string>> works;
  works.push_back(after(wakeup, "first"));  // Ends only because the last one runs meanwhile.
  works.push_back(at_once("second"));
  works.push_back(firing(wakeup, "third"));
  const auto answers = test::run(context, run_together(std::move(works), test::patience, &log));
  CHECK((answers == Answers{"first", "second", "third"}));
}

TEST_CASE("who is late or throws leaves a gap, and nobody else does") {
  net::io_context context{1};
  test::QuietLog log;
  const auto never = Wakeup::make(context.get_executor());
  std::vector<net::awaitable<std::string>> works;
  works.push_back(after(never, "late"));
  works.push_back(throwing());
  works.push_back(at_once("there"));
  const auto answers =
      test::run(context, run_together(std::move(works), std::chrono::milliseconds(1), &log));
  CHECK((answers == Answers{std::nullopt, std::nullopt, "there"}));
  CHECK(log.count("a question ended by an exception") == 1);
}

TEST_CASE("nothing asked is nothing waited for") {
  net::io_context context{1};
  test::QuietLog log;
  std::vector<net::awaitable<std::string>> none;
  CHECK(test::run(context, run_together(std::move(none), test::patience, &log)).empty());
}

}  // namespace
}  // namespace archway::proxy
