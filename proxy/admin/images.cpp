#include "proxy/admin/images.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/members.hpp"
#include "proxy/admin/together.hpp"
#include "proxy/admin/virtual_image.hpp"
#include "proxy/pull/decide.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::seconds index_max{20};

Response is_configured(const VirtualImage& image) {
  return error_answer(409, image.str() +
                               " is a virtual image of the configuration; it is changed and "
                               "removed there");
}

bool is_same(const VirtualImage& one, const VirtualImage& other) {
  return one.name == other.name && one.tag == other.tag;
}

/// Why this image cannot stand among the others; "" : it can.
std::string why_not_kept(const VirtualImage& image, std::vector<VirtualImage> others) {
  std::erase_if(others, [&](const VirtualImage& other) { return is_same(image, other); });
  if (others.size() >= virtual_images_max) {
    return "there are " + std::to_string(others.size()) +
           " virtual images, which is as many as are kept; remove one first";
  }
  return why_nested(image, others);
}

boost::json::object put_document(const VirtualImage& image, const std::string& index,
                                 const std::vector<MissingMember>& missing) {
  boost::json::array list;
  for (const auto& [member, why] : missing) {
    list.push_back(boost::json::object{
        {"platform", member.platform.str()}, {"image", place_of(member)}, {"why", why}});
  }
  boost::json::object document{{"name", image.name.str()},
                               {"tag", nullptr},
                               {"index", nullptr},
                               {"missing", std::move(list)}};
  if (image.tag) document["tag"] = image.tag->str();
  if (!index.empty()) document["index"] = index;
  return document;
}

Response refuse_incomplete(const VirtualImage& image, const std::vector<MissingMember>& missing) {
  auto document = put_document(image, "", missing);
  document["error"] = "of the " + std::to_string(image.members.size()) + " members of " +
                      image.str() + " " + std::to_string(missing.size()) +
                      " cannot be had; nothing was kept";
  return json_answer(409, boost::json::value(std::move(document)));
}

net::awaitable<std::string> make_index(PullParts* parts, VirtualImage image) {
  const resolver::ClientPlatform nobody;
  const auto decided = co_await decide_tag(parts, image.name, *image.tag, nobody, nullptr);
  co_return decided ? decided->manifest.digest.str() : std::string();
}

/// The digest of the index that the image has now; "" when it is for every tag, or none can be made
/// in time: who made the image is not to wait for an upstream that is silent.
net::awaitable<std::string> index_of(PullParts* parts, VirtualImage image) {
  if (!image.tag) co_return std::string();
  std::vector<net::awaitable<std::string>> works;
  works.push_back(make_index(parts, std::move(image)));
  const auto made = co_await run_together(std::move(works), index_max, parts->shared->log);
  co_return made.front().value_or("");
}

}  // namespace

std::vector<Parameter> put_image_parameters() {
  return {{"member", true}, {"strict"}};
}

Response answer_images(const AdminParts& parts) {
  const auto& images = parts.pull.shared->virtual_images;
  boost::json::array list;
  for (const auto& image : images.all()) {
    list.push_back(virtual_image_json(image, images.is_configured(image.name, image.tag)));
  }
  return json_answer(200, boost::json::value(std::move(list)));
}

net::awaitable<Response> put_image(AdminParts* parts, std::string name, Query query) {
  auto named = read_virtual_name(name, parts->names());
  if (!named) co_return error_answer(named.error());
  auto members = read_members(query.all("member"), parts->names());
  if (!members) co_return error_answer(members.error());
  const auto strict = query.flag("strict");
  if (!strict) co_return error_answer(strict.error());
  VirtualImage image{
      .name = std::move(named->name), .tag = std::move(named->tag), .members = *std::move(members)};
  auto& images = parts->pull.shared->virtual_images;
  if (images.is_configured(image.name, image.tag)) co_return is_configured(image);
  const auto problem = why_not_kept(image, images.all());
  if (!problem.empty()) co_return error_answer(409, problem);

  const auto missing = co_await find_missing(&parts->pull, image);
  if (*strict && !missing.empty()) co_return refuse_incomplete(image, missing);
  cache::Changes changes;
  changes.images.push_back(image);
  const auto kept = co_await commit(&parts->pull, std::move(changes));
  if (!kept) co_return error_answer(kept.error());
  images.set(image);
  parts->pull.shared->log->info("a virtual image was made", {{"image", image.str()}});
  const auto index = co_await index_of(&parts->pull, image);
  co_return json_answer(200, boost::json::value(put_document(image, index, missing)));
}

net::awaitable<Response> delete_image(AdminParts* parts, std::string name) {
  auto named = read_virtual_name(name, parts->names());
  if (!named) co_return error_answer(named.error());
  const VirtualImage image{
      .name = std::move(named->name), .tag = std::move(named->tag), .members = {}};
  auto& images = parts->pull.shared->virtual_images;
  if (images.is_configured(image.name, image.tag)) co_return is_configured(image);
  const auto all = images.all();
  const bool known = std::any_of(all.begin(), all.end(),
                                 [&](const VirtualImage& one) { return is_same(one, image); });
  if (!known) {
    co_return error_answer(404, "there is no virtual image " + image.str() +
                                    "; GET /api/v1/images lists those there are");
  }
  cache::Changes changes;
  changes.images_gone.emplace_back(image.name, image.tag);
  const auto gone = co_await commit(&parts->pull, std::move(changes));
  if (!gone) co_return error_answer(gone.error());
  images.erase(image.name, image.tag);
  parts->pull.shared->log->info("a virtual image was removed", {{"image", image.str()}});
  boost::json::object document{{"name", image.name.str()}, {"tag", nullptr}};
  if (image.tag) document["tag"] = image.tag->str();
  co_return json_answer(200, boost::json::value(std::move(document)));
}

}  // namespace archway::proxy
