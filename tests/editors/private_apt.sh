# Sourced: `private_apt SUITE` makes apt-get read one suite of Debian and nothing of the system, and keep its state in
# $work, which is deleted at the end. Signatures are checked. The mirror is the one in the system's own sources, or
# $DEB_MIRROR.

private_apt() {
    mirror=${DEB_MIRROR:-$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p' | head -1)}
    mirror=${mirror:-$(sed -n 's/^deb \(\[[^]]*\] \)*\([^ ]*\).*/\2/p' /etc/apt/sources.list 2>/dev/null | head -1)}
    [ -n "$mirror" ] || {
        echo "no Debian mirror in apt's sources; set DEB_MIRROR" >&2
        exit 1
    }
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg

    work=$(mktemp -d "${TMPDIR:-/tmp}/private_apt.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work" # apt fetches as another user
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/etc/preferences.d" "$work/etc/sources.list.d"
    : >"$work/status"
    for kind in deb deb-src; do
        echo "$kind [signed-by=$keyring] ${mirror%/} $1 main"
    done >"$work/sources.list"
    cat >"$work/apt.conf" <<CONF
Dir::State "$work";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "$work/etc/sources.list.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$work/etc/preferences.d";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::List-Cleanup "false";
Debug::NoLocking "true";
CONF
    export APT_CONFIG="$work/apt.conf"
    apt-get -qq update
}
