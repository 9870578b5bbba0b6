# Shared by ./run, ./test and ./vg: what the machine must have, and a build that is skipped when nothing changed.
# Sourced with $root set to the repository; nothing here depends on the current directory.

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export MSBUILDDISABLENODEREUSE=1        # a build must leave no worker behind that holds a terminal or a pipe open

# Debian package, then a file that it installs (a glob): a look at files costs nothing, asking dpkg or apt does.
runtime_packages=(
  postgresql         '/usr/lib/postgresql/*/bin/postgres'
  libopus0           '/usr/lib/*/libopus.so.0'
  libspeexdsp1       '/usr/lib/*/libspeexdsp.so.1'
  libssl3            '/usr/lib/*/libssl.so.3'
  libsrtp2-1         '/usr/lib/*/libsrtp2.so.1'
  libusrsctp2        '/usr/lib/*/libusrsctp.so.2'
  libspandsp2        '/usr/lib/*/libspandsp.so.2'
  libflite1          '/usr/lib/*/libflite.so.1'
  flite              '/usr/bin/flite'
  libespeak-ng1      '/usr/lib/*/libespeak-ng.so.1'
  espeak-ng          '/usr/bin/espeak-ng'
  libpocketsphinx3   '/usr/lib/*/libpocketsphinx.so.3'
  pocketsphinx       '/usr/bin/pocketsphinx_continuous'
  pocketsphinx-en-us '/usr/share/pocketsphinx/model/en-us/en-us/mdef'
)
cluster_packages=(
  rabbitmq-server '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server'
)
test_packages=(
  pocketsphinx-testdata '/usr/share/pocketsphinx/test/data/goforward.raw'
  alsa-utils            '/usr/share/sounds/alsa/Front_Center.wav'
  chromium              '/usr/bin/chromium'
  openssl               '/usr/bin/openssl'
)

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# missing_packages PACKAGE GLOB ... : names the packages whose file is absent.
missing_packages() {
  while (($#)); do
    compgen -G "$2" >/dev/null || printf '%s ' "$1"
    shift 2
  done
}

# require_packages PACKAGE GLOB ... : installs what is missing as root; anyone else is told the one line to type.
require_packages() {
  local missing
  missing=$(missing_packages "$@")
  missing=${missing% }
  [[ -z $missing ]] && return
  command -v apt-get >/dev/null || die "Missing: $missing. Install what your system calls these Debian packages."
  if ((EUID != 0)); then
    say "Some Debian packages are missing. Install them once with:"
    say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing"
    [[ " $missing " != *' rabbitmq-server '* ]] ||
      say "and, since Debian's own broker is not needed:  sudo systemctl disable --now rabbitmq-server epmd.service epmd.socket"
    exit 1
  fi
  say "Installing: $missing"
  local -a packages
  read -ra packages <<<"$missing"
  # The package lists of a bare machine are empty or old: they are fetched only when the install fails without.
  apt_install "${packages[@]}" >/dev/null 2>&1 && return
  DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 || die "apt-get update failed."
  apt_install "${packages[@]}" >&2 || die "apt-get could not install: $missing"
}

# apt_install PACKAGE ... : installs. Debian starts a broker of its own with RabbitMQ, now and at each boot: only the programs are wanted, so no service is
# started meanwhile, and those that came with it are switched off. What was there before is left alone.
apt_install() (
  policy=/usr/sbin/policy-rc.d units=()
  if [[ " $* " == *' rabbitmq-server '* ]]; then
    units=(rabbitmq-server.service)
    [[ -e /usr/bin/epmd ]] || units+=(epmd.socket epmd.service)
    if [[ ! -e $policy ]]; then
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
    fi
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@" </dev/null || exit
  ((${#units[@]} == 0)) && exit
  update-rc.d rabbitmq-server disable >/dev/null 2>&1 || true
  ! command -v systemctl >/dev/null || systemctl --quiet disable "${units[@]}" 2>/dev/null || true
)

# has_node_packages FOLDER : whether node_modules comes from that very package-lock.json.
has_node_packages() { cmp -s "$1/package-lock.json" "$1/node_modules/.from-lock.json"; }

# require_node FOLDER ... : installs Node where it is missing and one of the folders lacks its packages.
require_node() {
  local folder
  for folder in "$@"; do
    has_node_packages "$folder" || command -v npm >/dev/null || require_packages nodejs '/usr/bin/node' npm '/usr/bin/npm'
  done
}

# require_node_packages FOLDER ... : installs what each folder's package-lock.json names, unless it is there.
require_node_packages() {
  local folder
  for folder in "$@"; do
    has_node_packages "$folder" && continue
    require_node "$folder"
    say "Installing the Node packages of ${folder#"$root/"} ..."
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error </dev/null >&2) ||
      { say "npm could not install them: what needs them is left out."; continue; }
    cp "$folder/package-lock.json" "$folder/node_modules/.from-lock.json"
  done
}

# build_console : builds the talk page, which the gateway then takes in, unless it already comes from these very sources. Where Node cannot be installed, or
# npm cannot reach its registry, the server does without: the page then says what is missing.
build_console() {
  local folder=$root/console stamp=$root/artifacts/stamps/console now
  command -v npm >/dev/null || (require_packages nodejs '/usr/bin/node' npm '/usr/bin/npm') || { say "The server starts without the talk page."; return 0; }
  now=$(cd "$folder" && find . \( -name node_modules -o -name dist \) -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort | cksum)
  [[ -e $folder/dist/index.html && -e $stamp && $(<"$stamp") == "$now" ]] && return
  mkdir -p "$root/artifacts/stamps"
  (
    flock 9
    [[ -e $folder/dist/index.html && -e $stamp && $(<"$stamp") == "$now" ]] && exit 0
    require_node_packages "$folder"
    [[ -e $folder/node_modules/.from-lock.json ]] || exit 0
    say "Building the talk page ..."
    (cd "$folder" && npm run --silent build -- --logLevel warn </dev/null >&2 9>&-) || { say "The talk page could not be built: the server does without."; exit 0; }
    printf '%s\n' "$now" >"$stamp"
  ) 9>"$root/artifacts/console.lock"
}

require_dotnet() {
  command -v dotnet >/dev/null || die "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download/dotnet/10.0"
}

# fingerprint : one line that changes when a source file appears, disappears or changes. Arguments are folders left out.
# Sources are the folders that hold projects, what these take in from proto/ and console/, and the settings of the build beside them: calls, exports and data that
# people leave in their working copy are none.
fingerprint() (
  cd "$root"
  leave_out=() sources=(Directory.*.props *.sln proto console)
  for folder in "$@"; do leave_out+=(-o -path "./$folder"); done
  for folder in */; do
    ! compgen -G "$folder*.csproj" >/dev/null && ! compgen -G "$folder*/*.csproj" >/dev/null || sources+=("${folder%/}")
  done
  find "${sources[@]/#/./}" \( -name bin -o -name obj -o -name '.?*' -o -name node_modules -o -name artifacts -o -name TestResults "${leave_out[@]}" \) -prune \
    -o -type f ! -name '*.md' -printf '%p %s %T@\n' | LC_ALL=C sort | cksum
)

# build NAME OUTPUT TARGET [FOLDER-LEFT-OUT ...] : builds TARGET (Release) unless OUTPUT already comes from these very sources.
build() {
  local name=$1 output=$root/$2 target=$root/$3 stamp now
  shift 3
  stamp=$root/artifacts/stamps/$name
  now=$(fingerprint "$@")
  [[ -e $output && -e $stamp && $(<"$stamp") == "$now" ]] && return
  require_dotnet
  mkdir -p "$root/artifacts/stamps"
  (
    flock 9      # two launchers at once: the second waits, then finds the work done
    [[ -e $output && -e $stamp && $(<"$stamp") == "$now" ]] && exit 0
    say "Building ..."
    rm -f "$stamp"
    # One compiler for all projects, also where the environment says otherwise: each of its own takes twice as long together. It outlives the build: it must
    # not inherit the lock.
    log=$(dotnet build "$target" -c Release -v quiet --nologo -clp:ErrorsOnly -p:UseSharedCompilation=true 2>&1 9>&-) || die "$log"
    printf '%s\n' "$now" >"$stamp"
  ) 9>"$root/artifacts/build.lock" || exit 1
}
