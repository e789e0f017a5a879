#pragma once

#include "proxy/http/tls.hpp"
#include "proxy/upstream/exchange.hpp"
#include "proxy/upstream/shared.hpp"
#include "proxy/upstream/upstreams.hpp"
#include "tests/support/run.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace archway::proxy {

/// Bounds for tests in which something is silent; the others never come near theirs.
inline Settings::Timeouts short_timeouts() {
  Settings::Timeouts timeouts;
  timeouts.resolve = timeouts.connect = timeouts.tls = std::chrono::milliseconds(50);
  timeouts.first_byte = timeouts.stall = std::chrono::milliseconds(50);
  return timeouts;
}

/// Names that the tests make up, all on loopback or where they say.
inline Names::Options test_names(std::map<std::string, std::string> known = {}) {
  Names::Options options;
  options.lookup = [known = std::move(known)](const std::string& host) -> Result<Names::Addresses> {
    const auto found = known.find(host);
    const auto text = found == known.end() ? std::string("127.0.0.1") : found->second;
    if (text.empty()) return Error{.code = Errc::upstream_unreachable, .message = "no such name"};
    return Names::Addresses{*resolver::Address::parse(text)};
  };
  return options;
}

inline resolver::Url url_of(const std::string& text) {
  return *resolver::Url::parse(text);
}

/// The exchange of one thread, with its loop.
struct ExchangeBench {
  boost::asio::io_context loop{1};
  std::shared_ptr<Pool> pool = std::make_shared<Pool>(loop.get_executor());
  std::shared_ptr<Exchange> exchange;

  explicit ExchangeBench(const Settings::Timeouts& timeouts = {},
                         const std::filesystem::path& ca_file = {},
                         std::map<std::string, std::string> names = {}) {
    const auto context = std::make_shared<TlsHolder>(*TlsContext::client(ca_file));
    Connector connector(std::make_shared<Names>(test_names(std::move(names))),
                        Ways{.home = context, .elsewhere = context}, timeouts);
    exchange = std::make_shared<Exchange>(Exchange::Parts{.upstream = "test.registry",
                                                          .connector = std::move(connector),
                                                          .pool = pool,
                                                          .timeouts = timeouts,
                                                          .log = nullptr,
                                                          .metrics = nullptr});
  }

  Result<Answer> ask(const std::string& url, Verb verb = Verb::get) {
    Ask ask;
    ask.verb = verb;
    ask.destination.url = url_of(url);
    return test::run(loop, exchange->run(std::move(ask)));
  }
  Result<std::string> read(Answer& answer, std::size_t bytes_max = 64 * 1024 * 1024) {
    return test::run(loop, answer.body->read_all(bytes_max));
  }
};

/// One upstream as its users see it.
struct RegistryBench {
  boost::asio::io_context loop{1};
  Settings settings;
  std::shared_ptr<UpstreamShared> shared;
  std::unique_ptr<Upstreams> upstreams;
  Registry* registry = nullptr;

  explicit RegistryBench(Settings::Upstream upstream, const Settings::Timeouts& timeouts = {},
                         std::map<std::string, std::string> names = {},
                         metrics::Log* log = nullptr) {
    settings.timeouts = timeouts;
    const auto name = upstream.name;
    settings.upstreams.push_back(std::move(upstream));
    shared = *SharedParts::make(settings, log, nullptr, test_names(std::move(names)));
    upstreams = Upstreams::make(shared, loop.get_executor());
    registry = upstreams->find(name);
  }

  template <class T>
  T run(boost::asio::awaitable<T> work) {
    return test::run(loop, std::move(work));
  }
};

inline Settings::Upstream upstream_at(const std::string& url) {
  Settings::Upstream upstream;
  upstream.name = "test.registry";
  upstream.url = url_of(url);
  return upstream;
}

}  // namespace archway::proxy
