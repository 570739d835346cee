#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# make-mmdb.pl: writes the databases of this folder anew, by a writer that is not ours: MaxMind::DB::Writer (Debian's
# libmaxmind-db-writer-perl, which only this takes).
use strict;
use warnings;

BEGIN { *CORE::GLOBAL::time = sub { 1795737600 } } # 2026-11-27T00:00:00Z: the same bytes every time
use MaxMind::DB::Writer::Tree;

my %types = (
    country => 'map', subdivisions => ['array', 'map'], iso_code => 'utf8_string',
    autonomous_system_organization => 'utf8_string', autonomous_system_number => 'uint32', other => 'utf8_string',
    city => 'map', names => 'map', en => 'utf8_string',
);

sub database {
    my ($file, $version, $size, $type, %networks) = @_;
    my $tree = MaxMind::DB::Writer::Tree->new(
        ip_version => $version, record_size => $size, database_type => $type, languages => ['en'],
        description => { en => 'networks of documentation (RFC 5737, RFC 3849)' },
        map_key_type_callback => sub { $types{ $_[0] } }, remove_reserved_networks => 0,
    );
    $tree->insert_network($_, $networks{$_}) for sort { ($a =~ m{/(\d+)})[0] <=> ($b =~ m{/(\d+)})[0] } keys %networks;
    open my $out, '>:raw', $file or die "$file: $!";
    $tree->write_tree($out);
    close $out or die "$file: $!";
}

my ($dir) = $0 =~ m{^(.*)/};
database("$dir/places.mmdb", 6, 24, 'Test-City',
    '203.0.113.0/24' => { country => { iso_code => 'DE' }, subdivisions => [{ iso_code => 'HE' }, { iso_code => 'XX' }],
        city => { names => { en => 'Frankfurt' } } },
    '203.0.113.128/25' => { country => { iso_code => 'US' } },
    '198.51.100.0/24' => { other => 'nothing that is read' },
    '2001:db8::/32' => { country => { iso_code => 'FR' } },
    '2001:db8:ffff:ffff:ffff:ffff:ffff:fff0/124' => { country => { iso_code => 'JP' } },
);
database("$dir/operators.mmdb", 6, 28, 'Test-ASN',
    '203.0.113.0/24' => { autonomous_system_number => 64500, autonomous_system_organization => 'EXAMPLE-A' },
    '2001:db8::/48' => { autonomous_system_number => 64501, autonomous_system_organization => 'EXAMPLE-B' },
);
database("$dir/four.mmdb", 4, 32, 'Test-Country',
    '192.0.2.0/24' => { country => { iso_code => 'CH' } },
    '192.0.2.77/32' => { country => { iso_code => 'AT' } },
);
database("$dir/wrong.mmdb", 6, 24, 'Test-Country',
    '203.0.113.0/24' => { country => { iso_code => "D\x01E" } },
);
