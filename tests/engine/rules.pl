# The rules of nf_tables in this network: a line each with table, chain and length, handles left out.
use strict;
use warnings;

sub attributes {
    my ($bytes) = @_;
    my %found;
    while (length $bytes >= 4) {
        my ($size, $type) = unpack 'SS', $bytes;
        last if $size < 4;
        $found{$type & 0x3fff} = substr $bytes, 4, $size - 4;
        my $step = ($size + 3) & ~3;
        last if $step > length $bytes;
        $bytes = substr $bytes, $step;
    }
    return %found;
}

socket(my $socket, 16, 3, 12) or die "netlink: $!"; # AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER
# NFT_MSG_GETRULE of every family, as a dump
my $ask = pack 'LSSLLCCn', 20, 10 << 8 | 7, 0x301, 1, 0, 0, 0, 0;
defined send($socket, $ask, 0, pack 'SSLL', 16, 0, 0, 0) or die "send: $!";
my (@lines, $over);
until ($over) {
    defined recv($socket, my $answer, 1 << 20, 0) or die "recv: $!";
    while (length $answer >= 16) {
        my ($size, $type) = unpack 'LS', $answer;
        if ($type == 3 || $type == 2) { $over = 1; last }
        my %a = attributes(substr $answer, 20, $size - 20);
        push @lines, sprintf "%s %s %d\n", map({ s/\0//r } @a{1, 2}), length($a{4} // '');
        $answer = substr $answer, ($size + 3) & ~3;
    }
}
print sort @lines;
