# Tells everybody on eth0 that the address in ARGV[0] is here, a few times: ARP, from a packet socket.
use strict;
use warnings;

sub first_line { open my $f, '<', $_[0] or die "$_[0]: $!"; chomp(my $line = <$f>); $line }

my $mac = pack 'H12', first_line('/sys/class/net/eth0/address') =~ s/://gr;
my $index = first_line('/sys/class/net/eth0/ifindex');
my $address = pack 'C4', split /\./, $ARGV[0];
my $all = "\xff" x 6;
socket(my $socket, 17, 3, unpack 'S', pack 'n', 0x0806) or die "packet socket: $!"; # AF_PACKET, SOCK_RAW
my $frame = $all . $mac . pack('n', 0x0806) . pack('nnCCn', 1, 0x0800, 6, 4, 2) . $mac . $address .
    $all . $address;
my $to = pack 'SnlSCCa8', 17, 0x0806, $index, 0, 0, 6, $all;
for (1 .. 6) {
    defined send($socket, $frame, 0, $to) or die "send: $!";
    select undef, undef, undef, 0.5;
}
