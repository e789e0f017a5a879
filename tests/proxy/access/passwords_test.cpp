#include "proxy/access/passwords.hpp"

#include "tests/proxy/access/htpasswd.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/sanitizers.hpp"

#include <doctest/doctest.h>
#include <string>
#include <sys/resource.h>

namespace archway::proxy {
namespace {

using test::htpasswd_alice;
using test::htpasswd_bob;

struct Fixture {
  test::TempDir folder;
  test::QuietLog log;
  std::shared_ptr<Passwords> open(const std::string& text) {
    auto opened = Passwords::open(folder.write("htpasswd", text), &log);
    REQUIRE(opened);
    return *opened;
  }
};

/// No file can be opened while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    auto none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE_FIXTURE(Fixture, "a password is right for its own name alone, and then known") {
  const auto passwords = open(htpasswd_alice + htpasswd_bob);
  CHECK_FALSE(passwords->known("alice", "canary-wonder"));
  CHECK_FALSE(passwords->check("alice", "canary-builder"));
  CHECK_FALSE(passwords->check("alice", ""));
  CHECK_FALSE(passwords->check("carol", "canary-wonder"));
  CHECK_FALSE(passwords->check("alice", std::string("canary-wonder\0x", 15)));
  CHECK_FALSE(passwords->known("alice", "canary-builder"));
  CHECK(passwords->check("alice", "canary-wonder"));
  CHECK(passwords->known("alice", "canary-wonder"));
  CHECK_FALSE(passwords->known("bob", "canary-wonder"));
}

TEST_CASE_FIXTURE(Fixture, "nobody is right by an empty file") {
  CHECK_FALSE(open("# nobody\n")->check("alice", "canary-wonder"));
}

TEST_CASE_FIXTURE(Fixture, "a file that changes is read again, and what was known is forgotten") {
  const auto passwords = open(htpasswd_alice);
  REQUIRE(passwords->check("alice", "canary-wonder"));
  passwords->look();
  CHECK(passwords->known("alice", "canary-wonder"));
  folder.write("htpasswd", htpasswd_bob);
  passwords->look();
  CHECK_FALSE(passwords->known("alice", "canary-wonder"));
  CHECK_FALSE(passwords->check("alice", "canary-wonder"));
  CHECK(passwords->check("bob", "canary-builder"));
}

TEST_CASE_FIXTURE(Fixture, "a file that cannot be used leaves the old names in force") {
  const auto passwords = open(htpasswd_alice);
  folder.write("htpasswd", "alice:canary\n");
  passwords->look();
  passwords->look();
  CHECK(passwords->check("alice", "canary-wonder"));
  // It is tried each time; a log says so once a minute.
  CHECK(log.count("the new names and passwords cannot be used; the old ones stay") == 2);
}

// A sanitizer needs a descriptor to look at an object, and takes it for a wrong one without.
TEST_CASE_FIXTURE(Fixture, "a file that could not be read in a bad moment is read in the next" *
                               doctest::skip(test::sanitized)) {
  const auto passwords = open(htpasswd_alice);
  folder.write("htpasswd", htpasswd_bob);
  {
    const NoDescriptors none;
    passwords->look();
  }
  CHECK_FALSE(passwords->check("bob", "canary-builder"));
  passwords->look();
  CHECK(passwords->check("bob", "canary-builder"));
}

}  // namespace
}  // namespace archway::proxy
