#include "proxy/upstream/logins.hpp"

#include "tests/support/run.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <cstdio>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string.h>  // explicit_bzero is the C library's own
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;
using Credentials = Settings::Credentials;

const std::string basic_old = "Basic bWU6b2xk";        // me:old
const std::string basic_new = "Basic bWU6bmV3";        // me:new
const std::string basic_newer = "Basic bWU6bmV3ZXI=";  // me:newer

struct Bench {
  test::TempDir folder;
  boost::asio::io_context loop{1};
  Logins::Clock::time_point time = Logins::Clock::now();
  Environment environment{
      .variable = [this](const std::string& name) -> std::optional<std::string> {
        if (name == "PATH") return folder.path().string() + ":/usr/bin:/bin";
        return std::nullopt;
      }};
  Logins logins{nullptr, environment, [this] { return time; }};
  std::shared_ptr<Settings::Upstream> upstream = std::make_shared<Settings::Upstream>();

  explicit Bench(std::vector<Credentials> credentials = {}) {
    upstream->name = "ghcr.io";
    upstream->url = *resolver::Url::parse("https://ghcr.io");
    upstream->credentials = std::move(credentials);
  }
  Result<Logins::Chosen> choose() { return test::run(loop, logins.current(upstream)); }
  /// "none" without a login, the message of an error.
  std::string basic() {
    const auto chosen = choose();
    if (!chosen) return chosen.error().message;
    return chosen->login ? chosen->login->basic() : "none";
  }
  /// A program that counts its runs and says what it is told.
  void helper(const std::string& script) const {
    const auto path = folder.write("docker-credential-mine",
                                   "#!/bin/sh\necho run >> \"$(dirname \"$0\")/runs\"\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  std::size_t runs() const {
    std::ifstream file(folder.path() / "runs");
    return static_cast<std::size_t>(
        std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  }
};

std::string says(const std::string& password) {
  return "echo '{\"Username\":\"me\",\"Secret\":\"" + password + "\"}'\n";
}

TEST_CASE("what is written in the configuration is used as it is") {
  Bench none;
  CHECK(none.basic() == "none");
  Bench bench(std::vector<Credentials>{{.username = "me", .password = "old"}});
  const auto chosen = bench.choose();
  REQUIRE(chosen);
  CHECK(chosen->login->basic() == basic_old);
  CHECK(chosen->login->mark().find("old") == std::string::npos);
  CHECK(bench.choose()->login->mark() == chosen->login->mark());
  CHECK(Login("me", "new").mark() != chosen->login->mark());
}

TEST_CASE(
    "a password file is looked at once a second at most, and read again when it has changed") {
  Bench bench;
  const auto file = bench.folder.write("password", "old\n");
  bench.upstream->credentials = {{.username = "me", .password_file = file}};
  CHECK(bench.basic() == basic_old);
  bench.folder.write("password", "new");
  CHECK(bench.basic() == basic_old);
  bench.time += 1s;
  CHECK(bench.basic() == basic_new);
  // Another file under the same name, as whoever replaces it whole leaves it.
  std::filesystem::rename(bench.folder.write("next", "newer"), file);
  bench.time += 1s;
  CHECK(bench.basic() == basic_newer);
}

TEST_CASE("credentials that are refused are looked for again at once") {
  Bench bench;
  const auto file = bench.folder.write("password", "old");
  bench.upstream->credentials = {{.username = "me", .password_file = file}};
  const auto chosen = bench.choose();
  bench.folder.write("password", "new");
  bench.logins.refused(*bench.upstream, *chosen);
  CHECK(bench.basic() == basic_new);
}

TEST_CASE("a password file that cannot be read any more leaves the old password in use") {
  Bench bench;
  const auto file = bench.folder.write("password", "old");
  bench.upstream->credentials = {{.username = "me", .password_file = file}};
  CHECK(bench.basic() == basic_old);
  for (const auto* const text : {"", "two\nlines"}) {
    bench.folder.write("password", text);
    bench.time += 1s;
    CHECK(bench.basic() == basic_old);
  }
  std::filesystem::remove(file);
  bench.time += 1s;
  CHECK(bench.basic() == basic_old);
  bench.folder.write("password", "new");
  bench.time += 1s;
  CHECK(bench.basic() == basic_new);
}

TEST_CASE("credentials that were never there are an error that names neither file nor secret") {
  Bench bench(std::vector<Credentials>{{.username = "me", .password_file = "/nowhere/password"}});
  const auto chosen = bench.choose();
  REQUIRE_FALSE(chosen);
  CHECK(chosen.error().code == Errc::upstream_failed);
  CHECK(chosen.error().message ==
        "archway does not get its credentials for ghcr.io: the file with the password failed; "
        "archway's log says how");
  CHECK(chosen.error().context == "the file /nowhere/password does not exist");
}

TEST_CASE("docker's configuration is read again when it has changed, and is believed") {
  Bench bench;
  const auto file = bench.folder.write(
      "config.json", R"({"auths": {"ghcr.io": {"username": "me", "password": "old"}}})");
  bench.upstream->credentials = {{.docker_config = file}};
  CHECK(bench.basic() == basic_old);
  bench.folder.write("config.json", R"({"auths": {"ghcr.io": {"auth": "bWU6bmV3"}}})");
  bench.time += 1s;
  CHECK(bench.basic() == basic_new);
  bench.folder.write("config.json", R"({"auths": {}})");
  bench.time += 1s;
  CHECK(bench.basic() == "none");  // Somebody has logged out.
}

TEST_CASE("docker's configuration knows an upstream by its name, its place, or as Docker Hub") {
  struct Row {
    const char* why;
    const char* name;
    const char* url;
    const char* key;
    const char* want;
  };
  const Row rows[] = {
      {"its name", "registry.lan:5000", "http://10.0.0.5:5000", "registry.lan:5000", "found"},
      {"its place", "registry.lan:5000", "http://10.0.0.5:5000", "10.0.0.5:5000", "found"},
      {"Docker Hub by another name", "hub", "https://registry-1.docker.io",
       "https://index.docker.io/v1/", "found"},
      {"another one", "registry.lan:5000", "http://10.0.0.5:5000", "10.0.0.5", "none"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Bench bench;
    bench.upstream->name = row.name;
    bench.upstream->url = *resolver::Url::parse(row.url);
    const auto file =
        bench.folder.write("config.json", std::string(R"({"auths": {")") + row.key +
                                              R"(": {"username": "me", "password": "old"}}})");
    bench.upstream->credentials = {{.docker_config = file}};
    CHECK((bench.basic() == basic_old ? "found" : "none") == std::string(row.want));
  }
}

TEST_CASE("a helper is asked, and its answer kept for minutes or until it is refused") {
  Bench bench(std::vector<Credentials>{{.helper = "mine"}});
  bench.helper(says("old"));
  CHECK(bench.basic() == basic_old);
  bench.helper(says("new"));
  bench.time += 299s;
  CHECK(bench.basic() == basic_old);
  CHECK(bench.runs() == 1);
  bench.time += 1s;
  CHECK(bench.basic() == basic_new);
  bench.helper(says("newer"));
  bench.logins.refused(*bench.upstream, *bench.choose());
  CHECK(bench.basic() == basic_new);  // It was asked this very moment.
  bench.time += 10s;
  bench.logins.refused(*bench.upstream, *bench.choose());
  CHECK(bench.basic() == basic_newer);
  CHECK(bench.runs() == 3);
}

TEST_CASE("a helper that fails is named to clients, and its words are for the log") {
  Bench bench(std::vector<Credentials>{{.helper = "mine"}});
  bench.helper("echo 'the cloud is away'; echo canary >&2; exit 1\n");
  const auto chosen = bench.choose();
  REQUIRE_FALSE(chosen);
  CHECK(chosen.error().message ==
        "archway does not get its credentials for ghcr.io: the credential helper "
        "docker-credential-mine failed; archway's log says how");
  CHECK(chosen.error().context ==
        "docker-credential-mine was asked for the credentials of ghcr.io and failed: \"the cloud "
        "is away\"");
  CHECK_FALSE(bench.choose());
  CHECK(bench.runs() == 1);  // Nor is it run for every request.
  bench.helper(says("old"));
  bench.time += 10s;
  CHECK(bench.basic() == basic_old);
}

TEST_CASE("a helper that knows nothing leaves the upstream without credentials") {
  Bench bench(std::vector<Credentials>{{.helper = "mine"}});
  bench.helper("echo 'credentials not found in native keychain'; exit 1\n");
  CHECK(bench.basic() == "none");
}

TEST_CASE("of several credentials the first that does not rest is used") {
  Bench bench({{.username = "a", .password = "x"},
               {.username = "b", .password = "x"},
               {.username = "c", .password = "x"}});
  const auto which = [&] { return bench.choose()->which; };
  CHECK(which() == 0);
  bench.logins.refused(*bench.upstream, *bench.choose());
  CHECK(which() == 1);
  bench.logins.rest(*bench.upstream, 1, 600s);
  CHECK(which() == 2);
  bench.logins.rest(*bench.upstream, 2, 300s);
  CHECK(which() == 0);  // All rest: the first to be back.
  bench.time += 60s;
  CHECK(which() == 0);
  bench.logins.rest(*bench.upstream, 0, 3600s);
  CHECK(which() == 2);
}

TEST_CASE("credentials that cannot be had make way for others, and none for what is known") {
  Bench bench({{.helper = "absent"},
               {.docker_config = "config.json"},
               {.username = "me", .password = "new"}});
  bench.upstream->credentials[1].docker_config = bench.folder.write("config.json", "{}");
  CHECK(bench.basic() == basic_new);
  CHECK(bench.choose()->which == 2);
}

/// A password that is nowhere written down as it is, so that finding it in memory means something.
constexpr char mask = 0x15;
constexpr std::string_view masked_password = "kq7Zp2vR9mXw4tLs8bNc3yHd6fGk1uAe";

void write_masked(const std::filesystem::path& file) {
  std::array<char, masked_password.size()> plain{};
  std::transform(masked_password.begin(), masked_password.end(), plain.begin(),
                 [](char c) { return static_cast<char>(c ^ mask); });
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  // Several times in a row: what is freed loses its beginning to the allocator's own notes.
  for (int i = 0; i < 4; ++i) {
    CHECK(::write(fd, plain.data(), plain.size()) == static_cast<ssize_t>(plain.size()));
  }
  ::close(fd);
  ::explicit_bzero(plain.data(), plain.size());
}

std::size_t count_masked(std::string_view bytes) {
  std::size_t found = 0;
  const char first = static_cast<char>(masked_password[0] ^ mask);
  for (auto at = bytes.find(first); at != std::string_view::npos; at = bytes.find(first, at + 1)) {
    const auto here = bytes.substr(at, masked_password.size());
    found += here.size() == masked_password.size() &&
                     std::equal(here.begin(), here.end(), masked_password.begin(),
                                [](char a, char b) { return static_cast<char>(a ^ mask) == b; })
                 ? 1
                 : 0;
  }
  return found;
}

/// How often the password is in this process' memory.
std::size_t in_memory() {
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::array<char, 5> mode{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, mode.data()) != 3) continue;
    if (mode[0] != 'r' || mode[1] != 'w' || end - begin > 256 * 1024 * 1024) continue;
    std::string bytes(end - begin, '\0');
    const auto got = ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(begin));
    if (got > 0) {
      found += count_masked(std::string_view(bytes).substr(0, static_cast<std::size_t>(got)));
    }
    ::explicit_bzero(bytes.data(), bytes.size());  // Else the next look would find this copy.
  }
  ::close(memory);
  return found;
}

// A sanitizer's memory is too large to look through.
TEST_CASE("a password that was replaced is nowhere in memory any more" *
          doctest::skip(test::sanitized)) {
  Bench bench;
  const auto file = bench.folder.path() / "password";
  write_masked(file);
  bench.upstream->credentials = {{.username = "me", .password_file = file}};
  REQUIRE(bench.choose());
  CHECK(in_memory() > 0);
  bench.folder.write("password", "new");
  bench.time += 1s;
  CHECK(bench.basic() == basic_new);
  CHECK(in_memory() == 0);
}

TEST_CASE("a hundred who need a helper's answer at once, on two threads, run it once") {
  Bench bench(std::vector<Credentials>{{.helper = "mine"}});
  bench.helper(says("old"));
  const auto many = [&bench] {
    boost::asio::io_context loop{1};
    for (int i = 0; i < 50; ++i) {
      const auto chosen = test::run(loop, bench.logins.current(bench.upstream));
      if (!chosen || chosen->login->basic() != basic_old) return false;
    }
    return true;
  };
  bool other = false;
  std::thread thread([&] { other = many(); });
  CHECK(many());
  thread.join();
  CHECK(other);
  CHECK(bench.runs() == 1);
}

}  // namespace
}  // namespace archway::proxy
