using System.Text.RegularExpressions;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>Packets of a client of our own, before they are protected.</summary>
internal static class ClientPackets
{
    public const uint ClientSsrc = 77;

    public static byte[] Opus { get; } = [0xF8, 1, 2, 3];

    /// <summary>The offer of a microphone that sends as <see cref="ClientSsrc"/>.</summary>
    public static string AsClient(string offer) => Regex.Replace(offer, "a=ssrc:[0-9]+", $"a=ssrc:{ClientSsrc}");

    /// <summary>20 ms of the microphone.</summary>
    public static byte[] Microphone(ushort sequence, uint ssrc = ClientSsrc)
    {
        var packet = new byte[RtpHeader.Bytes + Opus.Length];
        new RtpHeader(111, false, sequence, sequence * 960u, ssrc).Write(packet);
        Opus.CopyTo(packet, RtpHeader.Bytes);
        return packet;
    }

    public static byte[] Nack(uint ssrc, params ushort[] lost)
    {
        var writer = new RtcpWriter(new byte[200]);
        Assert.True(writer.TryWriteReceiverReport(ClientSsrc, []) && writer.TryWriteNack(ClientSsrc, ssrc, lost));
        return writer.Written.ToArray();
    }

    public static byte[] ReceiverReport(RtcpReportBlock block)
    {
        var writer = new RtcpWriter(new byte[100]);
        Assert.True(writer.TryWriteReceiverReport(ClientSsrc, new[] { block }));
        return writer.Written.ToArray();
    }
}
