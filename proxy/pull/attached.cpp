#include "proxy/pull/attached.hpp"

#include <string>
#include <string_view>

namespace archway::proxy {
namespace {

constexpr std::string_view list_prefix = "_referrers-";

/// Cut, because a tag has 128 characters at most.
std::string tag_form(const Digest& digest) {
  return std::string(digest.algorithm_name()) + "-" + std::string(digest.hex().substr(0, 64));
}

}  // namespace

Result<Tag> referrers_tag(const Digest& digest) {
  return Tag::parse(tag_form(digest));
}

Result<Tag> referrers_list_tag(const Digest& digest) {
  return Tag::parse(std::string(list_prefix) + tag_form(digest));
}

bool is_referrers_list(const Tag& tag) {
  return tag.str().starts_with(list_prefix);
}

std::vector<Tag> attached_tags(const Digest& digest) {
  const auto form = tag_form(digest);
  std::vector<Tag> tags;
  for (const auto& text :
       {form, std::string(list_prefix) + form, form + ".sig", form + ".att", form + ".sbom"}) {
    if (auto tag = Tag::parse(text)) tags.push_back(*std::move(tag));
  }
  return tags;
}

}  // namespace archway::proxy
