#include "proxy/upstream/lending.hpp"

#include "tests/proxy/upstream/fake_registry.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

const Repository repository = *Repository::parse("acme/app");
const Reference reference = *Tag::parse("1");
const Digest digest = *Digest::parse("sha256:" + std::string(64, 'a'));

Error failure(Errc code) {
  return {.code = code, .origin = Origin::upstream, .message = "no"};
}

/// Somebody who lends.
struct Lender {
  std::shared_ptr<FakeRegistry> registry = std::make_shared<FakeRegistry>();
  int refused = 0;
  std::shared_ptr<void> loan = {};

  void lend(Lending& lending, const std::string& who) {
    loan = lending.lend(repository.str(), {.who = who,
                                           .make = [registry = registry] { return registry; },
                                           .refused = [this] { ++refused; }});
  }
};

struct Fixture {
  boost::asio::io_context loop{1};
  std::shared_ptr<FakeRegistry> own = std::make_shared<FakeRegistry>();
  Lending lending{own};
  Lender alice;
  Lender bob;

  Result<Registry::Head> head() {
    return test::run(loop, lending.head_manifest(repository, reference));
  }
};

TEST_CASE_FIXTURE(Fixture, "who lent last is asked for, and nobody's credentials without a loan") {
  CHECK(head());
  CHECK(own->asked == 1);
  alice.lend(lending, "alice");
  bob.lend(lending, "bob");
  CHECK(head());
  CHECK(bob.registry->asked == 1);
  bob.loan.reset();
  CHECK(head());
  CHECK(alice.registry->asked == 1);
  alice.loan.reset();
  CHECK_FALSE(lending.loan_of(repository.str()));
  CHECK(head());
  CHECK(own->asked == 2);
}

TEST_CASE_FIXTURE(Fixture, "credentials that are refused speak for their owner alone") {
  alice.lend(lending, "alice");
  bob.lend(lending, "bob");
  bob.registry->fails = failure(Errc::denied);
  CHECK(head());
  CHECK(bob.refused == 1);
  CHECK(alice.refused == 0);
  CHECK(alice.registry->asked == 1);
  CHECK(test::run(loop, lending.open_blob(repository, digest, 0)));
  CHECK(alice.registry->asked == 2);
  CHECK(bob.registry->asked == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "the same credentials are not tried again, however often they were lent") {
  Lender again;
  again.lend(lending, "bob");
  bob.lend(lending, "bob");
  bob.registry->fails = again.registry->fails = failure(Errc::denied);
  CHECK(head().error().code == Errc::denied);
  CHECK(bob.registry->asked + again.registry->asked == 1);
}

TEST_CASE_FIXTURE(
    Fixture,
    "what nobody gets says nothing about their credentials, and is not asked for without any") {
  alice.lend(lending, "alice");
  bob.lend(lending, "bob");
  alice.registry->fails = bob.registry->fails = failure(Errc::denied);
  CHECK(head().error().code == Errc::denied);
  CHECK(alice.refused + bob.refused == 0);
  CHECK(lending.loan_of(repository.str()));
  CHECK(own->asked == 0);
}

TEST_CASE_FIXTURE(Fixture, "a failure that is no refusal is everybody's") {
  alice.lend(lending, "alice");
  bob.lend(lending, "bob");
  bob.registry->fails = failure(Errc::upstream_unreachable);
  CHECK(head().error().code == Errc::upstream_unreachable);
  CHECK(bob.refused == 0);
  CHECK(alice.registry->asked == 0);
}

}  // namespace
}  // namespace archway::proxy
