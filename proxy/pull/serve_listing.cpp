#include "proxy/pull/serve_listing.hpp"

#include "proxy/pull/referrers.hpp"
#include "proxy/pull/sources.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

// What a client gets at once, however many it asks for.
constexpr std::uint64_t page_tags_max = 1000;

constexpr std::string_view empty_index =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";

std::string encoded(std::string_view text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

void add_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  query += name;
  query += '=';
  query += encoded(value);
}

std::string tags_query(const resolver::Route& route) {
  std::string query;
  if (route.n) add_parameter(query, "n", std::to_string(std::min(*route.n, page_tags_max)));
  if (!route.last.empty()) add_parameter(query, "last", route.last);
  return query;
}

/// The page behind one that ends with `last`, under the client's own path.
std::string next_link(const Asked& asked, const std::string& last) {
  std::string query;
  if (asked.route.n) add_parameter(query, "n", std::to_string(*asked.route.n));
  add_parameter(query, "last", last);
  if (!asked.route.ns.empty()) add_parameter(query, "ns", asked.route.ns);
  const auto& target = asked.request->target;
  return "<" + target.substr(0, target.find('?')) + "?" + query + ">; rel=\"next\"";
}

/// A page of tags: those behind `last`, in lexical order, at most `n` of them and a thousand.
struct Page {
  std::vector<std::string> tags;
  bool more = false;
};

/// Cuts the page out of what the upstream sent. There are registries that know neither `n` nor
/// `last` and send everything; a page that an upstream has cut itself stays as it is.
Page page_of(const boost::json::array& all, const resolver::Route& route, bool upstream_pages) {
  Page page{.more = upstream_pages};
  for (const auto& tag : all) {
    const auto* text = tag.if_string();
    if (text && (upstream_pages || std::string_view(*text) > route.last)) {
      page.tags.emplace_back(*text);
    }
  }
  if (upstream_pages) return page;
  std::sort(page.tags.begin(), page.tags.end());
  const auto most = std::min(route.n.value_or(page_tags_max), page_tags_max);
  if (page.tags.size() > most) {
    page.tags.resize(static_cast<std::size_t>(most));
    page.more = true;
  }
  return page;
}

Response json_answer(const Asked& asked, std::string_view type, std::string body,
                     metrics::Outcome outcome) {
  Response response;
  response.fields.add("Content-Type", type);
  add_common_fields(response, asked);
  add_outcome(response, asked, outcome);
  response.body = bytes_body(std::move(body));
  return response;
}

Error not_a_listing(const ImageName& image) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " answered with something that is not a list of tags",
          .context = "tags/list of " + image.str()};
}

bool is_absent(const Error& error) {
  return error.code == Errc::manifest_unknown || error.code == Errc::name_unknown;
}

}  // namespace

net::awaitable<Result<Response>> serve_tags(PullParts* parts, std::shared_ptr<const Asked> asked) {
  const auto source = listing_source(*parts->shared, *asked);
  auto* registry = parts->registry(source);
  auto document = co_await registry->get_tags(source.repository, tags_query(asked->route));
  if (!document) co_return document.error();
  boost::system::error_code error;
  auto listing = boost::json::parse(document->bytes, error);
  auto* object = error ? nullptr : listing.if_object();
  auto* tags = object && object->contains("tags") ? &object->at("tags") : nullptr;
  if (!tags || !(tags->is_array() || tags->is_null())) co_return not_a_listing(source);
  Page page;
  if (tags->is_array()) {
    page = page_of(tags->get_array(), asked->route, document->fields.contains("Link"));
  }
  boost::json::object answer;
  answer["name"] = asked->route.name;  // As the client wrote it, perhaps with the upstream's host.
  answer["tags"] = boost::json::array(page.tags.begin(), page.tags.end());
  Response response = json_answer(*asked, "application/json", boost::json::serialize(answer),
                                  metrics::Outcome::miss);
  if (page.more && !page.tags.empty()) {
    response.fields.add("Link", next_link(*asked, page.tags.back()));
  }
  co_return response;
}

net::awaitable<Result<Response>> serve_referrers(PullParts* parts,
                                                 std::shared_ptr<const Asked> asked) {
  const auto digest = *asked->route.digest;
  const auto source = co_await find_source(parts, asked, digest, ObjectKind::manifest);
  if (!source && is_absent(source.error())) {
    co_return json_answer(*asked, media_type::oci_index, std::string(empty_index),
                          metrics::Outcome::miss);
  }
  if (!source) co_return source.error();
  const auto list = co_await obtain_referrers(parts, *source, digest);
  if (!list) co_return list.error();
  const auto& type = asked->route.artifact_type;
  auto text = type.empty() ? *list->bytes : of_artifact_type(*list->bytes, type);
  Response response = json_answer(*asked, media_type::oci_index, std::move(text), list->outcome);
  if (!type.empty()) response.fields.add("OCI-Filters-Applied", "artifactType");
  co_return response;
}

}  // namespace archway::proxy
