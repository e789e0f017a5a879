#include "proxy/admin/endpoints.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/cached.hpp"
#include "proxy/admin/explain.hpp"
#include "proxy/admin/guard.hpp"
#include "proxy/admin/images.hpp"
#include "proxy/admin/operate.hpp"
#include "proxy/admin/query.hpp"
#include "proxy/admin/status.hpp"
#include "proxy/admin/upstreams.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::string_view image_folder = "/api/v1/images/";
constexpr std::string_view holding_folder = "/api/v1/holdings/";
constexpr std::string_view pin_folder = "/api/v1/pins/";

enum class Endpoint : std::uint8_t {
  explain,
  images,
  put_image,
  delete_image,
  cached,
  upstreams,
  listeners,
  status,
  holdings,
  remove_holding,
  put_pin,
  delete_pin,
  verify,
  gc,
  import,
  work,
  stop_work,
};

struct Entry {
  std::string_view path;
  Method method;  ///< get stands for HEAD, too
  Endpoint endpoint;
  std::string_view written;  ///< as a person reads it
};

constexpr std::array<Entry, 17> entries{{
    {"/api/v1/explain", Method::get, Endpoint::explain, "GET /api/v1/explain"},
    {"/api/v1/images", Method::get, Endpoint::images, "GET /api/v1/images"},
    {image_folder, Method::put, Endpoint::put_image, "PUT /api/v1/images/NAME[:TAG]"},
    {image_folder, Method::del, Endpoint::delete_image, "DELETE /api/v1/images/NAME[:TAG]"},
    {"/api/v1/cached", Method::get, Endpoint::cached, "GET /api/v1/cached"},
    {"/api/v1/upstreams", Method::get, Endpoint::upstreams, "GET /api/v1/upstreams"},
    {"/api/v1/listeners", Method::get, Endpoint::listeners, "GET /api/v1/listeners"},
    {"/api/v1/status", Method::get, Endpoint::status, "GET /api/v1/status"},
    {"/api/v1/holdings", Method::get, Endpoint::holdings, "GET /api/v1/holdings"},
    {holding_folder, Method::del, Endpoint::remove_holding,
     "DELETE /api/v1/holdings/NAME[:TAG|@DIGEST]"},
    {pin_folder, Method::put, Endpoint::put_pin, "PUT /api/v1/pins/NAME[:TAG|@DIGEST]"},
    {pin_folder, Method::del, Endpoint::delete_pin, "DELETE /api/v1/pins/NAME[:TAG|@DIGEST]"},
    {"/api/v1/verify", Method::put, Endpoint::verify, "PUT /api/v1/verify"},
    {"/api/v1/gc", Method::put, Endpoint::gc, "PUT /api/v1/gc"},
    {"/api/v1/import", Method::put, Endpoint::import, "PUT /api/v1/import"},
    {"/api/v1/work", Method::get, Endpoint::work, "GET /api/v1/work"},
    {"/api/v1/work", Method::del, Endpoint::stop_work, "DELETE /api/v1/work"},
}};

/// What is below it is named by the rest of the path.
bool is_folder(const Entry& entry) {
  return entry.path.ends_with('/');
}

bool is_for(const Entry& entry, std::string_view path) {
  if (!is_folder(entry)) return path == entry.path;
  return path.starts_with(entry.path) && path.size() > entry.path.size();
}

bool is_by(const Entry& entry, Method method) {
  return method == entry.method || (method == Method::head && entry.method == Method::get);
}

std::string_view words(Method method) {
  switch (method) {
    case Method::put: return "PUT";
    case Method::del: return "DELETE";
    default: return "GET, HEAD";
  }
}

Response not_here() {
  std::string list;
  for (const auto& entry : entries) list += (list.empty() ? "" : ", ") + std::string(entry.written);
  return error_answer(404, "there is nothing here; there are " + list);
}

/// 405 for a path that there is, 404 for any other.
Response not_so(std::string_view path) {
  std::string allowed;
  for (const auto& entry : entries) {
    if (!is_for(entry, path)) continue;
    allowed += (allowed.empty() ? "" : ", ") + std::string(words(entry.method));
  }
  if (allowed.empty()) return not_here();
  auto response = error_answer(405, "this is asked with " + allowed + " alone");
  response.fields.add("Allow", allowed);
  response.close = true;
  return response;
}

std::vector<Parameter> parameters_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::explain: return explain_parameters();
    case Endpoint::put_image: return put_image_parameters();
    case Endpoint::cached: return cached_parameters();
    case Endpoint::upstreams: return upstreams_parameters();
    case Endpoint::holdings: return holdings_parameters();
    case Endpoint::remove_holding: return remove_parameters();
    case Endpoint::import: return import_parameters();
    case Endpoint::images:
    case Endpoint::delete_image:
    case Endpoint::listeners:
    case Endpoint::put_pin:
    case Endpoint::delete_pin:
    case Endpoint::verify:
    case Endpoint::gc:
    case Endpoint::work:
    case Endpoint::stop_work:
    case Endpoint::status: break;
  }
  return {};
}

net::awaitable<Response> ready(Response response) {
  co_return response;
}

/// `name`: of an image, where the path has one.
net::awaitable<Response> answer(AdminParts* parts, Endpoint endpoint, std::string name,
                                Query query) {
  switch (endpoint) {
    case Endpoint::explain: return answer_explain(parts, std::move(query));
    case Endpoint::put_image: return put_image(parts, std::move(name), std::move(query));
    case Endpoint::delete_image: return delete_image(parts, std::move(name));
    case Endpoint::cached: return answer_cached(parts, std::move(query));
    case Endpoint::upstreams: return answer_upstreams(parts, std::move(query));
    case Endpoint::images: return ready(answer_images(*parts));
    case Endpoint::listeners: return ready(answer_listeners(*parts));
    case Endpoint::holdings: return answer_holdings(parts, std::move(query));
    case Endpoint::remove_holding: return remove_holding(parts, std::move(name), std::move(query));
    case Endpoint::put_pin: return put_pin(parts, std::move(name));
    case Endpoint::delete_pin: return delete_pin(parts, std::move(name));
    case Endpoint::verify: return ready(begin_verify(*parts));
    case Endpoint::gc: return ready(begin_gc(*parts));
    case Endpoint::import: return ready(begin_import(*parts, query));
    case Endpoint::work: return ready(answer_work(*parts));
    case Endpoint::stop_work: return ready(stop_work(*parts));
    case Endpoint::status: break;
  }
  return answer_status(parts);
}

}  // namespace

net::awaitable<Response> answer_api(AdminParts* parts, std::shared_ptr<const Request> request) {
  const std::string_view target = request->target;
  const auto path = target.substr(0, target.find('?'));
  const auto* entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& one) {
    return is_for(one, path) && is_by(one, request->method);
  });
  if (entry == entries.end()) return ready(not_so(path));
  if (entry->method != Method::get) {
    const auto& admin = parts->settings().admin;
    const auto why = why_not_obeyed(*request, admin ? *admin : Settings::Endpoint{});
    if (!why.empty()) return ready(error_answer(403, why));
  }
  auto name = decoded(is_folder(*entry) ? path.substr(entry->path.size()) : "");
  if (!name) return ready(error_answer(400, "the image's name is not percent-encoded UTF-8"));
  auto query = Query::parse(target, parameters_of(entry->endpoint));
  if (!query) return ready(error_answer(query.error()));
  return answer(parts, entry->endpoint, *std::move(name), *std::move(query));
}

}  // namespace archway::proxy
