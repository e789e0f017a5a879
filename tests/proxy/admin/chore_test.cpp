#include "proxy/admin/chore.hpp"

#include <doctest/doctest.h>
#include <future>
#include <stdexcept>

namespace archway::proxy {
namespace {

/// Waits for the chore that runs: the next one can only begin after it.
void wait(Chore& chore) {
  while (chore.state().at("running") == true) std::this_thread::yield();
}

TEST_CASE("a chore tells how far it is, and keeps what came of it") {
  Chore chore;
  CHECK(chore.state().at("number") == 0);
  std::promise<void> reached;
  std::promise<void> go_on;
  REQUIRE(chore.start("verify", [&](const Chore::Progress& progress) {
    CHECK(progress(3, 7));
    reached.set_value();
    go_on.get_future().wait();
    return Result<boost::json::object>(boost::json::object{{"right", true}});
  }) == 1);
  reached.get_future().wait();
  auto state = chore.state();
  CHECK(state.at("running") == true);
  CHECK(state.at("done") == 3);
  CHECK(state.at("total") == 7);
  CHECK(state.at("result").is_null());
  CHECK_FALSE(chore.start("gc", [](const Chore::Progress&) {
    return Result<boost::json::object>(boost::json::object());
  }));
  go_on.set_value();
  wait(chore);
  state = chore.state();
  CHECK(state.at("name") == "verify");
  CHECK(state.at("result").at("right") == true);
}

TEST_CASE("a chore that fails says why, also when it threw") {
  Chore chore;
  REQUIRE(chore.start("one", [](const Chore::Progress&) {
    return Result<boost::json::object>(Error{.code = Errc::storage_failed, .message = "the disk"});
  }));
  wait(chore);
  CHECK(chore.state().at("error") == "the disk");
  REQUIRE(chore.start("two", [](const Chore::Progress&) -> Result<boost::json::object> {
    throw std::runtime_error("no memory");
  }) == 2);
  wait(chore);
  CHECK(chore.state().at("error") == "no memory");
}

TEST_CASE("a chore stops when it is told to, and before its owner goes") {
  const auto until_stopped = [](const Chore::Progress& progress) {
    while (progress(0, 0)) std::this_thread::yield();
    return Result<boost::json::object>(boost::json::object{{"stopped", true}});
  };
  Chore chore;
  CHECK_FALSE(chore.stop());
  REQUIRE(chore.start("verify", until_stopped));
  CHECK(chore.stop());
  wait(chore);
  CHECK(chore.state().at("result").at("stopped") == true);
  REQUIRE(chore.start("verify", until_stopped));
}

}  // namespace
}  // namespace archway::proxy
