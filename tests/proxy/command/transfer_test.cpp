#include "proxy/command/transfer.hpp"

#include "tests/proxy/command/pull_bench.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

/// What came, and whether it was said to be whole.
struct Basket {
  std::string bytes;
  int finished = 0;
};

class IntoBasket final : public BlobTaker {
 public:
  explicit IntoBasket(Basket* basket) : basket_(basket) {}
  Result<void> take(std::span<const std::uint8_t> bytes) override {
    basket_->bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> finish() override {
    ++basket_->finished;
    return {};
  }

 private:
  Basket* basket_;
};

Transfer transfer_of(const std::string& bytes) {
  return {.where = *Repository::parse("app"),
          .blob = {.media_type = "layer",
                   .digest = *Digest::parse(test::digest_of(bytes)),
                   .size = bytes.size(),
                   .platform = {}}};
}

std::string path_of(const std::string& bytes) {
  return test::blob_path("app", test::digest_of(bytes));
}

void bring(PullBench& bench, std::vector<Transfer>& all, Basket* basket = nullptr) {
  auto pull = bench.open();
  Transfers job{.registry = pull.registry, .all = &all};
  if (basket != nullptr) {
    job.make = [basket](const Descriptor&) -> Result<std::unique_ptr<BlobTaker>> {
      return std::unique_ptr<BlobTaker>(std::make_unique<IntoBasket>(basket));
    };
  }
  REQUIRE(pull.session->run(bring_all(&job)));
}

TEST_CASE("a transfer that is cut goes on where it was") {
  const auto bytes = test::noise(300'000);
  PullBench bench;
  bench.gateway.on(path_of(bytes)).answer(200).body(bytes).cut_after(100'000);
  bench.gateway.on(path_of(bytes)).answer(200).body(bytes).ranges();
  Basket basket;
  std::vector<Transfer> all{transfer_of(bytes)};
  bring(bench, all, &basket);
  CHECK(all[0].done);
  CHECK_FALSE(all[0].error);
  CHECK(basket.bytes == bytes);
  CHECK(basket.finished == 1);
}

TEST_CASE("where the rest cannot be had alone, what was there is passed over") {
  const auto bytes = test::noise(300'000);
  PullBench bench;
  bench.gateway.on(path_of(bytes)).answer(200).body(bytes).cut_after(100'000);
  bench.gateway.on(path_of(bytes)).answer(200).body(bytes);
  Basket basket;
  std::vector<Transfer> all{transfer_of(bytes)};
  bring(bench, all, &basket);
  CHECK(all[0].done);
  CHECK(basket.bytes == bytes);
}

TEST_CASE("other bytes than were promised are never whole") {
  struct Row {
    const char* why;
    std::string sent;
  };
  const std::string wanted = "the bytes that were wanted";
  const std::vector<Row> rows{{"others of that length", "the bytes that nobody want"},
                              {"fewer", "the bytes"},
                              {"more", wanted + " and more"}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    PullBench bench;
    bench.gateway.on(path_of(wanted)).answer(200).body(row.sent);
    Basket basket;
    std::vector<Transfer> all{transfer_of(wanted)};
    bring(bench, all, &basket);
    CHECK_FALSE(all[0].done);
    REQUIRE(all[0].error);
    CHECK(all[0].error->code == Errc::upstream_failed);
    CHECK(basket.finished == 0);
  }
}

TEST_CASE("one that fails does not stop the others") {
  PullBench bench;
  std::vector<Transfer> all;
  for (int i = 0; i < 10; ++i) {
    const auto bytes = test::noise(1000, static_cast<unsigned>(i) + 1);
    all.push_back(transfer_of(bytes));
    if (i != 3) bench.gateway.on(path_of(bytes)).answer(200).body(bytes);
  }
  bring(bench, all);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].done == (i != 3));
  REQUIRE(all[3].error);
  CHECK(all[3].error->code == Errc::blob_unknown);
}

TEST_CASE("what one name does not have is asked for under another") {
  PullBench bench;
  const auto bytes = test::noise(1000);
  bench.gateway.on(path_of(bytes)).answer(200).body(bytes);
  std::vector<Transfer> all{transfer_of(bytes)};
  all[0].where = *Repository::parse("other");
  all[0].elsewhere = {*Repository::parse("app")};
  bring(bench, all);
  CHECK(all[0].done);
  CHECK_FALSE(all[0].error);
}

boost::asio::awaitable<void> count_in(int* now, int* most,
                                      boost::asio::awaitable<Result<Registry::Head>> work) {
  *most = std::max(*most, ++*now);
  const auto done = co_await std::move(work);
  --*now;
  CHECK_FALSE(done);
}

TEST_CASE("works run so many at a time, each once") {
  PullBench bench;
  auto pull = bench.open();
  int now = 0;
  int most = 0;
  std::vector<Work> works;
  for (int i = 0; i < 9; ++i) {
    works.emplace_back([&] {
      return count_in(&now, &most,
                      pull.registry->head_blob(*Repository::parse("app"),
                                               *Digest::parse(test::digest_of("x"))));
    });
  }
  REQUIRE(pull.session->run(run_some_at_a_time(std::move(works), 3)));
  CHECK(most == 3);
  CHECK(now == 0);
  CHECK(bench.gateway.count("HEAD", path_of("x")) == 9);
  CHECK(pull.session->run(run_some_at_a_time({}, 3)));
}

}  // namespace
}  // namespace archway::proxy
