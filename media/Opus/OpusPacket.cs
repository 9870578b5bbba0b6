namespace VoiceGrains.Media;

/// <summary>What the first bytes of an Opus packet tell (RFC 6716 §3). Durations are in samples of 48 kHz, the clock of RTP timestamps (RFC 7587 §4.1).</summary>
public static class OpusPacket
{
    /// <summary>Rate of timestamps and durations, whatever the sound's own bandwidth.</summary>
    public const int ClockRateHz = 48_000;

    /// <summary>120 ms, the longest packet (RFC 6716 §3.2.5).</summary>
    public const int MaxDuration = 5_760;

    /// <summary>Duration of a packet; 0 where its first bytes are malformed. The rest may still be: only the decoder can tell.</summary>
    /// <param name="packet">Untrusted.</param>
    public static int Duration(ReadOnlySpan<byte> packet)
    {
        if (packet.IsEmpty)
            return 0;
        var frames = (packet[0] & 3) switch
        {
            0 => 1,
            3 => packet.Length < 2 ? 0 : packet[1] & 0x3F,
            _ => 2,
        };
        var duration = frames * FrameDuration(packet[0]);
        return duration <= MaxDuration ? duration : 0;
    }

    /// <summary>Duration of each frame of a packet, from its first byte (§3.1).</summary>
    public static int FrameDuration(byte toc) => (toc >> 3) switch
    {
        >= 16 and var celt => 120 << (celt & 3),        // 2.5, 5, 10, 20 ms
        >= 12 and var hybrid => 480 << (hybrid & 1),    // 10, 20 ms
        var silk => (silk & 3) == 3 ? 2_880 : 480 << (silk & 3),    // 10, 20, 40, 60 ms
    };

    /// <summary>Whether the packet is a DTX update or says that nothing is sent: a table of contents without sound (§3.2.1, opus_decode).</summary>
    public static bool IsDtx(ReadOnlySpan<byte> packet) => packet.Length <= 2;

    /// <summary>Whether the packet repeats the frame before it in less quality (§4.2.4: the LBRR flag of its first frame).</summary>
    /// <param name="packet">Untrusted.</param>
    public static bool HasFec(ReadOnlySpan<byte> packet)
    {
        if (packet.IsEmpty || packet[0] >= 16 << 3)     // CELT has none
            return false;
        var first = FirstFrame(packet);
        if (first <= 0 || first >= packet.Length)
            return false;
        // One voice activity flag for each 20 ms, then the LBRR flag; with stereo the same again for the side channel.
        var flags = Math.Max(1, FrameDuration(packet[0]) / 960) + 1;
        var isStereo = (packet[0] & 4) != 0;
        return (packet[first] >> (8 - flags) & 1) != 0 || (isStereo && (packet[first] >> (8 - 2 * flags) & 1) != 0);
    }

    /// <summary>Offset of the first frame (§3.2); 0 where it holds nothing or the packet is malformed.</summary>
    private static int FirstFrame(ReadOnlySpan<byte> packet) => (packet[0] & 3) switch
    {
        0 or 1 => 1,
        2 => packet.Length < 2 || packet[1] == 0 ? 0 : packet[1] < 252 ? 2 : 3,
        _ => FirstFrameOfMany(packet),
    };

    private static int FirstFrameOfMany(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 3)
            return 0;
        var at = 2;
        if ((packet[1] & 0x40) != 0)        // padding: its length, of which each 255 means 254 and one byte more
        {
            while (at < packet.Length && packet[at] == 255)
                at++;
            at++;
        }
        if ((packet[1] & 0x80) == 0)
            return at;
        var frames = packet[1] & 0x3F;      // variable rate: the length of each frame but the last
        for (var i = 1; i < frames; i++)
        {
            if (at >= packet.Length || (i == 1 && packet[at] == 0))
                return 0;
            at += packet[at] < 252 ? 1 : 2;
        }
        return at;
    }
}
