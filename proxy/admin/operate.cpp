#include "proxy/admin/operate.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/chore.hpp"
#include "proxy/admin/holdings.hpp"
#include "proxy/admin/import_layout.hpp"

#include <functional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Document = Result<boost::json::object>;

Response answer_of(const Document& document) {
  if (document) return json_answer(200, boost::json::value(*document));
  // What is denied here is denied as things are, not to whoever asks.
  if (document.error().code == Errc::denied) return error_answer(409, document.error().message);
  return error_answer(document.error());
}

/// On the disk pool: it reads the index, and may write and remove files.
net::awaitable<Response> away_from_the_loop(AdminParts* parts, std::function<Document()> work) {
  const auto document = co_await parts->pull.shared->disk->run<Document>(work);
  co_return answer_of(document);
}

Response begin(const AdminParts& parts, std::string name, Chore::Run run) {
  if (!parts.chore->start(std::move(name), std::move(run))) {
    auto document = parts.chore->state();
    document["error"] = "the gateway is at another piece of work; GET /api/v1/work tells how far";
    return json_answer(409, boost::json::value(std::move(document)));
  }
  return json_answer(202, boost::json::value(parts.chore->state()));
}

}  // namespace

std::vector<Parameter> holdings_parameters() {
  return {{"pattern"}, {"pinned"}};
}

std::vector<Parameter> remove_parameters() {
  return {{"dry_run"}};
}

std::vector<Parameter> import_parameters() {
  return {{"directory"}, {"as"}};
}

net::awaitable<Response> answer_holdings(AdminParts* parts, Query query) {
  const auto pinned = query.flag("pinned");
  if (!pinned) co_return error_answer(pinned.error());
  const std::function<boost::json::array()> work =
      [holdings = parts->holdings, pattern = query.find("pattern").value_or(""), only = *pinned] {
        return holdings->list(pattern, only);
      };
  auto list = co_await parts->pull.shared->disk->run<boost::json::array>(work);
  co_return json_answer(200, boost::json::value(std::move(list)));
}

net::awaitable<Response> remove_holding(AdminParts* parts, std::string name, Query query) {
  const auto dry_run = query.flag("dry_run");
  if (!dry_run) co_return error_answer(dry_run.error());
  parts->pull.shared->absent.clear();
  std::function<Document()> work = [holdings = parts->holdings, name, only = *dry_run] {
    return holdings->remove(name, only);
  };
  co_return co_await away_from_the_loop(parts, std::move(work));
}

net::awaitable<Response> put_pin(AdminParts* parts, std::string name) {
  return away_from_the_loop(
      parts, [holdings = parts->holdings, name = std::move(name)] { return holdings->pin(name); });
}

net::awaitable<Response> delete_pin(AdminParts* parts, std::string name) {
  return away_from_the_loop(parts, [holdings = parts->holdings, name = std::move(name)] {
    return holdings->unpin(name);
  });
}

Response begin_verify(const AdminParts& parts) {
  return begin(parts, "verify", [holdings = parts.holdings](const Chore::Progress& progress) {
    return Document(holdings->verify(progress));
  });
}

Response begin_gc(const AdminParts& parts) {
  return begin(parts, "gc",
               [holdings = parts.holdings](const Chore::Progress&) { return holdings->collect(); });
}

Response begin_import(const AdminParts& parts, const Query& query) {
  const auto directory = query.need("directory", "/srv/images");
  if (!directory) return error_answer(directory.error());
  if (!directory->starts_with('/')) {
    return error_answer(bad_parameter("directory", "it is not absolute; allowed: /srv/images"));
  }
  ImportJob job{.cache = parts.pull.shared->cache,
                .names = &parts.names(),
                .directory = *directory,
                .as = query.find("as").value_or("")};
  return begin(parts, "import", [job = std::move(job)](const Chore::Progress& progress) {
    return import_layout(job, progress);
  });
}

Response answer_work(const AdminParts& parts) {
  return json_answer(200, boost::json::value(parts.chore->state()));
}

Response stop_work(const AdminParts& parts) {
  parts.chore->stop();
  return answer_work(parts);
}

}  // namespace archway::proxy
