#include "proxy/access/door.hpp"

#include "proxy/access/authorization.hpp"
#include "proxy/access/under_way.hpp"
#include "proxy/pull/account.hpp"
#include "proxy/pull/refusal.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error refused_address(const resolver::Address& address) {
  return {.code = Errc::denied,
          .message = "this port is not for " + address.str(),
          .context = "listen[].access.from"};
}

Error without_certificate() {
  return {.code = Errc::denied,
          .message = "this port is for those who show a certificate of their own",
          .context = "listen[].access.certificates"};
}

Error needs_password(std::string_view found) {
  return {.code = Errc::unauthorized,
          .message = "this port is for those with a name and password at this archway; " +
                     std::string(found),
          .context = "listen[].access.htpasswd"};
}

Error too_many(std::string message, std::chrono::seconds wait) {
  return {.code = Errc::overloaded,
          .message = std::move(message),
          .context = "listen[].access.htpasswd",
          .retryable = true,
          .retry_after_s = static_cast<std::uint32_t>(wait.count())};
}

Error too_many_wrong() {
  return too_many("too many wrong passwords came from this address; try again in a minute",
                  Attempts::period);
}

Error too_many_at_once() {
  return too_many("archway is looking at as many passwords as it can; try again in a moment",
                  std::chrono::seconds(5));
}

/// What came of a password.
enum class Look { right, wrong, not_taken };

std::shared_ptr<const Request> without_authorization(const Request& request) {
  auto made = std::make_shared<Request>(request);
  made->fields = Fields();
  for (const auto& [name, value] : request.fields) {
    if (!equal_without_case(name, "Authorization")) made->fields.add(name, value);
  }
  made->entered = true;
  return made;
}

std::int64_t steady_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

Door::Door(Settings::Door rules, std::shared_ptr<Passwords> passwords)
    : rules_(std::move(rules)), passwords_(std::move(passwords)), looked_(steady_seconds()) {
  if (!passwords_) return;
  hashing_ = std::make_unique<DiskPool>(1);
  reading_ = std::make_unique<DiskPool>(1);
}

Result<std::unique_ptr<Door>> Door::open(Settings::Door rules, metrics::Log* log) {
  std::shared_ptr<Passwords> passwords;
  if (!rules.htpasswd.empty()) {
    auto opened = Passwords::open(rules.htpasswd, log);
    if (!opened) return opened.error();
    passwords = *std::move(opened);
  }
  return std::unique_ptr<Door>(new Door(std::move(rules), std::move(passwords)));
}

net::awaitable<void> Door::look_again() {
  const auto now = steady_seconds();
  auto looked = looked_.load();
  if (now - looked < look_every.count() || !looked_.compare_exchange_strong(looked, now)) co_return;
  const std::function<bool()> look = [passwords = passwords_] {
    passwords->look();
    return true;
  };
  co_await reading_->run(look);
}

net::awaitable<Result<void>> Door::check(std::shared_ptr<const Request> request) {
  const auto read = read_authorization(request->fields);
  if (!read) co_return read.error();
  if (!read->basic) co_return needs_password("none was sent");
  const auto shown = std::make_shared<const Shown>(*read);
  if (passwords_->known(shown->basic->username, shown->basic->password)) co_return Result<void>();
  const auto from = request->peer->address;
  if (attempts_.exhausted(from)) co_return too_many_wrong();
  const auto place = std::make_shared<const UnderWay>(waiting_);
  if (!place->fits(waiting_max)) co_return too_many_at_once();
  // One after the other, and counted before the next one begins: of many that were sent at once
  // none is looked at after the last that was allowed to be wrong.
  const std::function<Look()> work = [this, passwords = passwords_, shown, from, place] {
    if (attempts_.exhausted(from)) return Look::not_taken;
    if (passwords->check(shown->basic->username, shown->basic->password)) return Look::right;
    attempts_.failed(from);
    return Look::wrong;
  };
  const auto look = co_await hashing_->run(work);
  if (look == Look::not_taken) co_return too_many_wrong();
  if (look == Look::wrong) co_return needs_password("the one that was sent is wrong");
  co_return Result<void>();
}

net::awaitable<Result<std::shared_ptr<const Request>>> Door::admit(
    std::shared_ptr<const Request> request) {
  const auto& peer = *request->peer;
  const auto& from = rules_.from;
  const bool near = from.empty() || std::any_of(from.begin(), from.end(), [&](const auto& network) {
                      return network.contains(peer.address);
                    });
  if (!near) co_return refused_address(peer.address);
  if (rules_.certificates && peer.certificate.empty()) co_return without_certificate();
  if (!passwords_) co_return request;
  co_await look_again();
  const auto checked = co_await check(request);
  if (!checked) co_return checked.error();
  co_return without_authorization(*request);
}

net::awaitable<Response> Guarded::handle(std::shared_ptr<const Request> request) {
  auto entered = co_await door_->admit(request);
  if (entered) co_return co_await inside_->handle(*std::move(entered));
  const auto account = std::make_shared<Account>();
  note(*account, entered.error());
  Response response = refusal(entered.error());
  response.on_sent = [account, request, status = response.status, log = log_,
                      metrics = metrics_](const Sent& sent) {
    close_account(*account, *request, status, sent, log, metrics);
  };
  co_return response;
}

Response Guarded::refuse(std::uint16_t status, std::string why) {
  return inside_->refuse(status, std::move(why));
}

}  // namespace archway::proxy
