#include "proxy/http/stream.hpp"

#include "tests/support/fakes.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/served.hpp"

#include <doctest/doctest.h>
#include <string>
#include <sys/socket.h>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using test::RawClient;
using namespace std::chrono_literals;

/// A Stream and the blocking client at its other end, on the test's own thread.
struct Ends {
  explicit Ends(bool small = false)
      : pair(test::tcp_pair(small)),
        client(pair.client),
        stream(std::make_unique<Stream>(test::adopt(context, pair.server))) {
    stream->deadline_in(test::patience);
  }

  Result<std::size_t> read() {
    buffer.resize(64);
    auto got = test::run(context, stream->read_some(buffer.data(), buffer.size()));
    buffer.resize(got ? *got : 0);
    return got;
  }
  Result<void> write(const std::string& text, bool more = false) {
    return test::run(context, stream->write(text.data(), text.size(), more));
  }

  net::io_context context{1};
  test::TcpPair pair;
  RawClient client;
  std::unique_ptr<Stream> stream;
  std::string buffer;
};

TEST_CASE("a stream reads what is said, and 0 at the orderly end") {
  Ends ends;
  ends.client.say("hello");
  CHECK(*ends.read() == 5);
  CHECK(ends.buffer == "hello");
  ends.client.finish_sending();
  const auto end = ends.read();
  REQUIRE(end);
  CHECK(*end == 0);
  CHECK(ends.write("still heard"));
  CHECK(ends.client.hear(11) == "still heard");
}

TEST_CASE("a stream whose client resets fails with a reason for the log") {
  Ends ends;
  ends.client.reset();
  const auto got = ends.read();
  REQUIRE(!got);
  CHECK(got.error().code == Errc::upstream_unreachable);
  CHECK(got.error().retryable);
  CHECK(got.error().context.starts_with("read"));
  CHECK(!ends.write("x"));
}

TEST_CASE("a write ends when all has left, whatever the buffers hold") {
  const auto bytes = test::noise(2 * 1024 * 1024);
  Ends ends(true);
  std::string heard;
  std::thread reader([&] { heard = ends.client.hear(bytes.size()); });
  CHECK(ends.write(bytes));
  reader.join();
  CHECK((heard == bytes));
}

TEST_CASE("what is written with more to follow leaves with what follows") {
  Ends ends;
  const test::TempDir dir;
  const auto file = test::file_of(dir, "0123456789");
  CHECK(ends.write("head ", true));
  const auto sent = test::run(ends.context, ends.stream->write_file({file, 2, 5}, nullptr, 1s));
  REQUIRE(sent);
  CHECK(*sent == 5);
  CHECK(ends.client.hear(10) == "head 23456");
}

TEST_CASE("a file goes out from any offset, and its end is an error when it comes too early") {
  const test::TempDir dir;
  const auto bytes = test::noise(10 * 1024 * 1024);
  const auto file = test::file_of(dir, bytes);
  {
    Ends ends(true);
    std::string heard;
    std::thread reader([&] { heard = ends.client.hear(bytes.size() - 5); });
    const auto sent = test::run(ends.context, ends.stream->write_file({file, 5, bytes.size() - 5},
                                                                      nullptr, test::patience));
    reader.join();
    REQUIRE(sent);
    CHECK(*sent == bytes.size() - 5);
    CHECK((heard == bytes.substr(5)));
  }
  Ends ends;
  const auto sent =
      test::run(ends.context, ends.stream->write_file({file, bytes.size() - 3, 4}, nullptr, 1s));
  REQUIRE(!sent);
  CHECK(sent.error().context.find("shorter") != std::string::npos);
}

TEST_CASE("a deadline that passes ends a wait, and the stream for good") {
  Ends ends;
  ends.stream->deadline_in(1ms);
  const auto got = ends.read();
  REQUIRE(!got);
  CHECK(got.error().context.find("no progress in time") != std::string::npos);
  CHECK(!ends.stream->open());
  ends.stream->deadline_in(test::patience);
  ends.client.say("too late");
  CHECK(!ends.read());
  CHECK(!ends.write("x"));
  CHECK(ends.stream->read_now(ends.buffer.data(), 1) == 0);
  CHECK(!ends.stream->quiet());
}

TEST_CASE("a client that does not read is given up after the stall bound") {
  const test::TempDir dir;
  const auto bytes = test::noise(8 * 1024 * 1024);
  const auto file = test::file_of(dir, bytes);
  Ends ends(true);
  const auto sent =
      test::run(ends.context, ends.stream->write_file({file, 0, bytes.size()}, nullptr, 1ms));
  REQUIRE(!sent);
  CHECK(sent.error().context.find("no progress in time") != std::string::npos);
}

TEST_CASE("a stream is quiet while nothing waits to be read and nobody has left") {
  Ends ends;
  CHECK(ends.stream->quiet());
  CHECK(ends.stream->read_now(ends.buffer.data(), 0) == 0);
  ends.client.say("x");
  char byte = 0;
  // Over loopback what was sent is there when send() returns.
  CHECK(!ends.stream->quiet());
  CHECK(ends.stream->read_now(&byte, 1) == 1);
  CHECK(byte == 'x');
  CHECK(ends.stream->quiet());
  ends.client.finish_sending();
  CHECK(!ends.stream->quiet());
  ends.stream->close();
  CHECK(!ends.stream->quiet());
}

TEST_CASE("close says FIN, reset says RST, and both only once") {
  {
    Ends ends;
    CHECK(ends.write("bye"));
    ends.stream->close();
    ends.stream->close();
    ends.stream->reset();
    const auto rest = ends.client.hear_rest();
    CHECK(rest.bytes == "bye");
    CHECK(rest.end == RawClient::End::orderly);
  }
  Ends ends;
  ends.stream->reset();
  ends.stream->reset();
  CHECK(ends.client.hear_rest().end == RawClient::End::reset);
  CHECK(!ends.stream->open());
  CHECK(!ends.read());
  CHECK(!ends.write("x"));
}

TEST_CASE("a gentle close lets the answer arrive although the client is still talking") {
  Ends ends;
  ends.client.say(std::string(50'000, 'x'));
  CHECK(ends.write("no"));
  // The client hears the answer and the end, says a little more, and leaves.
  std::string heard;
  RawClient::End end{};
  std::thread talker([&] {
    heard = ends.client.hear(2);
    ends.client.say(std::string(50'000, 'y'));
    ends.client.finish_sending();
    end = ends.client.hear_rest().end;
  });
  test::run(ends.context, ends.stream->close_gently());
  talker.join();
  CHECK(heard == "no");
  CHECK(end == RawClient::End::orderly);
  CHECK(ends.client.error() == 0);
  CHECK(!ends.stream->open());
  test::run(ends.context, ends.stream->close_gently());
}

TEST_CASE("a wait that is closed from elsewhere on the loop ends") {
  Ends ends;
  net::post(ends.context, [&] { ends.stream->close(); });
  CHECK(!ends.read());
}

}  // namespace
}  // namespace archway::proxy
