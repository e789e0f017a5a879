#include "proxy/child_process.hpp"

#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

struct Bench {
  test::TempDir folder;

  std::filesystem::path script(const std::string& text) const {
    const auto path = folder.write("program", "#!/bin/sh\n" + text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  Result<ChildResult> run(const std::string& text, std::chrono::milliseconds time = 20s) const {
    return run_child(script(text), {"get", "two words; exit 9"}, "the input", time, 1000);
  }
};

TEST_CASE("a program gets its arguments and input as they are, and gives its output and status") {
  const Bench bench;
  const auto ran = bench.run("cat; echo \"|$#|$1|$2|\"; exit 3\n");
  REQUIRE(ran);
  CHECK(ran->status == 3);
  CHECK(ran->output == "the input|2|get|two words; exit 9|\n");
}

TEST_CASE("a program may leave its input unread and close its output") {
  const Bench bench;
  const auto ran = bench.run("exec 0<&- 1>&-; exit 4\n");
  REQUIRE(ran);
  CHECK(ran->status == 4);
  CHECK(ran->output.empty());
}

TEST_CASE("what a program leaves running does not hold it up") {
  const Bench bench;
  const auto fifo = (bench.folder.path() / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const auto ran = bench.run("(read line < " + fifo + ") & echo done\n");
  REQUIRE(ran);
  CHECK(ran->output == "done\n");
  const int end = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);  // Lets the reader come to its end.
  REQUIRE(end >= 0);
  ::close(end);
}

TEST_CASE("a signal is no exit status") {
  const Bench bench;
  const auto ran = bench.run("kill -9 $$\n");
  REQUIRE(ran);
  CHECK(ran->status == -1);
}

TEST_CASE("a program that takes too long or says too much is ended and named") {
  const Bench bench;
  const auto program = (bench.folder.path() / "program").string();
  const auto slow = bench.run("exec sleep 1000\n", 1ms);
  REQUIRE_FALSE(slow);
  CHECK(slow.error().code == Errc::configuration_invalid);
  CHECK(slow.error().message == program + " did not end within 0 s");
  const auto loud = bench.run("while :; do echo 0123456789; done\n");
  REQUIRE_FALSE(loud);
  CHECK(loud.error().message == program + " said more than 1000 bytes");
}

TEST_CASE("a program that cannot be run is named") {
  const auto ran = run_child("/nowhere/program", {}, "", 1s, 1000);
  REQUIRE_FALSE(ran);
  CHECK(ran.error().message == "/nowhere/program cannot be run: No such file or directory");
}

}  // namespace
}  // namespace archway::proxy
