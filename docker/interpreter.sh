# /opt/venv from the interpreter given; one that lies outside /usr is copied to /opt/python first, without its packages,
# since the final stage takes /opt alone.
set -eu
python=$1
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
if [ "$prefix" != /usr ]; then
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    mkdir -p /opt/python/bin /opt/python/lib
    cp -a "$prefix/bin/$version" /opt/python/bin/
    cp -a "$prefix/lib/$version" "$prefix"/lib/*.so* /opt/python/lib/
    rm -rf "/opt/python/lib/$version/site-packages"
    python=/opt/python/bin/$version
fi
"$python" -m venv /opt/venv
