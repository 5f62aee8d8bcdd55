#include "adapters/aws/endpoints.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace cc::aws {
namespace {

constexpr std::string_view kRegionPlace = "{region}";

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) {
    return {};
  }
  std::string out(text);
  curl_free(text);
  return out;
}

std::string with_region(std::string address, std::string_view region) {
  for (std::size_t at = address.find(kRegionPlace); at != std::string::npos; at = address.find(kRegionPlace)) {
    address.replace(at, kRegionPlace.size(), region);
  }
  return address;
}

// The domain of a region's partition, as AWS's SDKs know them.
std::string_view domain_of(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  return out;
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

Result<void> check_override(const std::string& setting, const std::string& address) {
  const auto parsed = parse_address(with_region(address, "us-east-1"));
  const std::string wanted = " must be https://host[:port], or http:// to this machine (127.0.0.1, ::1, localhost)";
  if (!parsed) {
    return fail(ErrorKind::config_invalid, setting + wanted);
  }
  if (parsed->scheme == "http" && !is_loopback_host(parsed->host)) {
    return fail(ErrorKind::config_invalid, setting + " asks for plain http to " + parsed->host + "; it" + wanted);
  }
  if (parsed->path != "/") {
    return fail(ErrorKind::config_invalid, setting + " has a path;" + wanted);
  }
  return {};
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host == "::1") {
    return true;
  }
  return host.starts_with("127.") && std::ranges::count(host, '.') == 3 &&
         std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

Result<Address> parse_address(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const bool parsed = url && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) == CURLUE_OK;
  Address out;
  if (parsed) {
    out = {part_of(url.get(), CURLUPART_SCHEME), part_of(url.get(), CURLUPART_HOST), part_of(url.get(), CURLUPART_PORT),
           part_of(url.get(), CURLUPART_PATH)};
  }
  if ((out.scheme != "http" && out.scheme != "https") || out.host.empty()) {
    return fail(ErrorKind::config_invalid, "not an http or https address");
  }
  if (out.host.starts_with('[') && out.host.ends_with(']')) {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  const std::string query = part_of(url.get(), CURLUPART_QUERY);
  out.path += query.empty() ? "" : "?" + query;
  return out;
}

Result<Endpoints> Endpoints::make(const std::map<std::string, std::string>& configured,
                                  const Environment& environment) {
  Endpoints out;
  for (const std::string_view service : {"kms", "sts", "dynamodb"}) {
    const auto own = configured.find(std::string(service));
    const std::string named = "AWS_ENDPOINT_URL_" + upper(service);
    const std::pair<std::string, std::string> sources[] = {
        {"aws.endpoints." + std::string(service), own == configured.end() ? "" : own->second},
        {named, variable(environment, named)},
        {"AWS_ENDPOINT_URL", variable(environment, "AWS_ENDPOINT_URL")}};
    const auto* const set = std::ranges::find_if(sources, [](const auto& one) { return !one.second.empty(); });
    if (set != std::end(sources)) {
      CC_TRY(check_override(set->first, set->second));
      out.overrides_.emplace(service, set->second);
    }
  }
  return out;
}

Result<Endpoint> Endpoints::of(std::string_view service, std::string_view region) const {
  const bool shaped = !region.empty() && region.size() <= 32 && std::ranges::all_of(region, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!shaped) {
    return fail(ErrorKind::kek_name_invalid, "not a region of AWS: use a name such as eu-west-1");
  }
  const auto found = overrides_.find(std::string(service));
  if (found == overrides_.end()) {
    const std::string host = std::string(service) + "." + std::string(region) + "." + std::string(domain_of(region));
    return Endpoint{"https://" + host + "/", host};
  }
  CC_ASSIGN(const Address address, parse_address(with_region(found->second, region)));
  const bool v6 = address.host.find(':') != std::string::npos;
  std::string host = v6 ? "[" + address.host + "]" : address.host;
  const bool standard = address.port.empty() || address.port == (address.scheme == "https" ? "443" : "80");
  host += standard ? "" : ":" + address.port;
  return Endpoint{address.scheme + "://" + host + "/", host};
}

}  // namespace cc::aws
