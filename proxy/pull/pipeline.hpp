#pragma once

#include "proxy/http/connection.hpp"
#include "proxy/pull/account.hpp"
#include "proxy/pull/parts.hpp"
#include "proxy/pull/reuse_manifest.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

namespace archway::proxy {

/// The way of a pull, step by step: route, upstream, platform, then the one thing that is asked
/// for. One account a request, closed when its answer has left, whatever happened.
///
/// Threads: one loop; each loop has its own.
class Pipeline : public Handler {
 public:
  explicit Pipeline(PullParts parts)
      : parts_(parts), ready_(answers_by_address(*parts.shared->settings)) {}

  boost::asio::awaitable<Response> handle(std::shared_ptr<const Request> request) override;
  Response refuse(std::uint16_t status, std::string why) override;
  void lost(std::string_view reason) override;
  ReadyAnswers* ready_answers() override { return &ready_; }

 private:
  boost::asio::awaitable<Result<Response>> pull(std::shared_ptr<const Request> request,
                                                std::shared_ptr<Account> account);
  boost::asio::awaitable<Result<Response>> pull_or_explain(std::shared_ptr<const Request> request,
                                                           std::shared_ptr<Account> account);

  PullParts parts_;
  ReadyAnswers ready_;
};

}  // namespace archway::proxy
