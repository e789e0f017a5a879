#include "metrics/line_writer.hpp"

#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace archway::metrics {
namespace {

/// Two connected descriptors, closed with it.
struct Ends {
  int read = -1;
  int write = -1;

  static Ends pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    return {ends[0], ends[1]};
  }
  static Ends socket() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    return {ends[0], ends[1]};
  }
  Ends(int r, int w) : read(r), write(w) {}
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    ::close(read);
    ::close(write);
  }

  /// What is there to read, without waiting.
  std::string take() const {
    ::fcntl(read, F_SETFL, O_NONBLOCK);
    std::string all;
    std::array<char, 65536> buffer{};
    for (;;) {
      const auto n = ::read(read, buffer.data(), buffer.size());
      if (n <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
};

TEST_CASE("lines arrive whole and in order") {
  for (const bool over_socket : {false, true}) {
    CAPTURE(over_socket);
    const Ends ends = over_socket ? Ends::socket() : Ends::pipe();
    LineWriter writer(ends.write);
    writer.write("one\n");
    writer.write("two\n");
    CHECK(ends.take() == "one\ntwo\n");
    CHECK(writer.dropped() == 0);
    CHECK_FALSE(writer.is_terminal());
  }
}

TEST_CASE("a reader that stopped reading costs lines, never time") {
  for (const bool over_socket : {false, true}) {
    CAPTURE(over_socket);
    const Ends ends = over_socket ? Ends::socket() : Ends::pipe();
    LineWriter writer(ends.write);
    const std::string line = std::string(4000, 'x') + "\n";
    int written = 0;
    for (; written < 100'000 && writer.dropped() == 0; ++written) writer.write(line);
    CHECK(writer.dropped() == 1);  // The test ends at all: nothing waited.
    const std::string all = ends.take();
    writer.write("after\n");
    const std::string rest = ends.take();
    // Over a socket the last line may be cut; then what follows starts on a line of its own.
    CHECK((all + rest).ends_with("\nafter\n"));
    CHECK(writer.dropped() == 1);
  }
}

TEST_CASE("a closed reader is a dropped line, not a signal") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  ::close(ends[0]);
  LineWriter writer(ends[1]);
  writer.write("nobody\n");
  CHECK(writer.dropped() == 1);
  ::close(ends[1]);
}

TEST_CASE("a full disk drops lines") {
  const int fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  LineWriter writer(fd);
  writer.write("one\n");
  CHECK(writer.dropped() == 1);
  ::close(fd);
}

}  // namespace
}  // namespace archway::metrics
