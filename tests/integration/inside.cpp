#include "tests/integration/inside.hpp"

#include "tests/support/run.hpp"

#include <utility>

namespace archway::test {

Inside::Inside(proxy::Settings settings)
    : settings_(std::move(settings)),
      metrics_(metrics::Metrics::make("0")),
      cache_(*cache::Cache::open({.directory = directory_.path() / "cache", .sync = false}, &log_)),
      shared_(std::make_unique<proxy::PullShared>(&settings_, cache_.get(), &log_, metrics_.get(),
                                                  &disk_, &publish_)),
      upstreams_(
          proxy::Upstreams::make(*proxy::UpstreamShared::make(settings_, &log_, metrics_.get()),
                                 context_.get_executor())) {
  parts_ = {.shared = shared_.get(), .upstreams = upstreams_.get()};
}

Inside::~Inside() {
  disk_.stop();
  publish_.stop();
  context_.drop_coroutines();
}

proxy::Explanation Inside::explain(const std::string& target, const Headers& headers) {
  const auto request = std::make_shared<proxy::Request>();
  const auto peer = std::make_shared<proxy::Peer>();
  peer->address = *resolver::Address::parse("127.0.0.1");
  request->method = proxy::Method::head;
  request->target = target;
  request->peer = peer;
  for (const auto& [name, value] : headers) request->fields.add(name, value);
  return run(context_, proxy::explain(&parts_, request));
}

}  // namespace archway::test
