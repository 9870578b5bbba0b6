using System.Text;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.WebRtc.Tests.Rtp;

public sealed class RtpPacketTests
{
    [Fact]
    public void TryRead_ReadsEveryField()
    {
        // V=2, P, X, CC=2 | M, PT=111 | 0x1234 | two sources | extension of one word | payload | padding of 4.
        var bytes = Convert.FromHexString("B2EF1234DEADBEEFCAFEBABE0000000100000002BEDE0001105532FFAABBCC00000004");
        Assert.False(RtpPacket.TryRead(bytes.AsSpan(0, 27), out _));
        Assert.True(RtpPacket.TryRead(bytes, out var packet));
        Assert.True(packet.Marker);
        Assert.Equal(111, packet.PayloadType);
        Assert.Equal(0x1234, packet.Sequence);
        Assert.Equal(0xDEADBEEF, packet.Timestamp);
        Assert.Equal(0xCAFEBABE, packet.Ssrc);
        Assert.Equal(2, packet.ContributingSources);
        Assert.Equal((1u, 2u), (packet.ContributingSource(0), packet.ContributingSource(1)));
        Assert.Equal("AABBCC", Convert.ToHexString(packet.Payload));
        Assert.True(packet.TryGetExtension(1, out var value));
        Assert.Equal("55", Convert.ToHexString(value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("80EF1234DEADBEEFCAFEBA")]                          // a byte short of a header
    [InlineData("40EF1234DEADBEEFCAFEBABE")]                        // version 1
    [InlineData("81EF1234DEADBEEFCAFEBABE")]                        // a source that is not there
    [InlineData("90EF1234DEADBEEFCAFEBABEBEDE00")]                  // half an extension head
    [InlineData("90EF1234DEADBEEFCAFEBABEBEDE0002105500")]          // extension cut off
    [InlineData("A0EF1234DEADBEEFCAFEBABE")]                        // padding of nothing
    [InlineData("A0EF1234DEADBEEFCAFEBABEAA00")]                    // a count of 0
    [InlineData("A0EF1234DEADBEEFCAFEBABEAA03")]                    // more padding than payload
    public void TryRead_RefusesWhatIsNotRtp(string hex) => Assert.False(RtpPacket.TryRead(Convert.FromHexString(hex), out _));

    [Fact]
    public void TryRead_AcceptsPaddingAlone()
    {
        Assert.True(RtpPacket.TryRead(Convert.FromHexString("A0EF1234DEADBEEFCAFEBABE0002"), out var packet));
        Assert.True(packet.Payload.IsEmpty);
    }

    // The layouts drawn in RFC 8285 §4.2 and §4.3, with bytes filled in.
    [Theory]
    [InlineData("BEDE000310AA21BBCC00003301020304", 1, "AA")]
    [InlineData("BEDE000310AA21BBCC00003301020304", 2, "BBCC")]
    [InlineData("BEDE000310AA21BBCC00003301020304", 3, "01020304")]
    [InlineData("BEDE000310AA21BBCC00003301020304", 4, null)]
    [InlineData("100000030100020199000304AABBCCDD", 1, "")]
    [InlineData("100000030100020199000304AABBCCDD", 2, "99")]
    [InlineData("100000030100020199000304AABBCCDD", 3, "AABBCCDD")]
    [InlineData("100F000105017700", 5, "77")]                // the low four bits belong to the application
    [InlineData("1000000105FF7700", 5, null)]                        // longer than the extension
    [InlineData("BEDE000110AA2FBB", 1, "AA")]                        // what comes before a damaged element counts
    [InlineData("BEDE000110AA2FBB", 2, null)]
    [InlineData("BEDE0001F0AA10BB", 1, null)]                        // 15 ends the search
    [InlineData("BEDE000101AA10BB", 1, null)]                        // so does padding with a length
    [InlineData("12340001105500AA", 1, null)]                        // another profile
    public void TryGetExtension_FindsBothForms(string extension, int id, string? expected)
    {
        var bytes = Convert.FromHexString("90EF1234DEADBEEFCAFEBABE" + extension);
        Assert.True(RtpPacket.TryRead(bytes, out var packet));
        Assert.Equal(expected is not null, packet.TryGetExtension(id, out var value));
        Assert.Equal(expected ?? "", Convert.ToHexString(value));
    }

    [Fact]
    public void TryGetAudioLevel_TellsLoudnessAndVoice()
    {
        Span<byte> buffer = stackalloc byte[64];
        var length = new RtpHeader(111, false, 1, 2, 3).Write(buffer, 1, [0x80 | 42]);
        Assert.True(RtpPacket.TryRead(buffer[..length], out var packet));
        Assert.True(packet.TryGetAudioLevel(1, out var level, out var isVoice));
        Assert.Equal((42, true), (level, isVoice));
        Assert.False(packet.TryGetAudioLevel(2, out _, out _));
    }

    [Fact]
    public void Write_ThenTryRead_GivesTheSame()
    {
        Prop.ForAll<(byte Type, bool Marker, ushort Sequence, uint Timestamp), (uint Ssrc, byte Id, byte[] Mid), byte[]>((fields, more, payload) =>
        {
            var header = new RtpHeader((byte)(fields.Type & 0x7f), fields.Marker, fields.Sequence, fields.Timestamp, more.Ssrc);
            var buffer = new byte[64 + payload.Length];
            var isExtended = more.Id is >= 1 and <= 14 && more.Mid.Length is >= 1 and <= 16;
            var length = header.Write(buffer, more.Id, more.Mid);
            Assert.Equal(isExtended, length > 0);
            if (length == 0)
                length = header.Write(buffer);
            payload.CopyTo(buffer, length);
            Assert.True(RtpPacket.TryRead(buffer.AsSpan(0, length + payload.Length), out var packet));
            Assert.Equal(header, new RtpHeader(packet.PayloadType, packet.Marker, packet.Sequence, packet.Timestamp, packet.Ssrc));
            Assert.Equal(payload, packet.Payload.ToArray());
            Assert.Equal(isExtended, packet.TryGetExtension(more.Id, out var mid));
            Assert.True(!isExtended || mid.SequenceEqual(more.Mid));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Write_IntoTooLittleRoom_WritesNothing()
    {
        Assert.Equal(0, new RtpHeader(111, false, 1, 2, 3).Write(new byte[11]));
        Assert.Equal(0, new RtpHeader(111, false, 1, 2, 3).Write(new byte[19], 1, Encoding.ASCII.GetBytes("0")));
    }

    [Fact]
    public void ReadingAndWriting_AllocateNothing()
    {
        Span<byte> buffer = stackalloc byte[64];
        _ = ReadAndWrite(buffer);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = 0;
        for (var round = 0; round < 1000; round++)
            sum += ReadAndWrite(buffer);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(42_000, sum);
    }

    private static int ReadAndWrite(Span<byte> buffer)
    {
        var length = new RtpHeader(111, true, 1, 2, 3).Write(buffer, 1, [42]);
        return RtpPacket.TryRead(buffer[..length], out var packet) && packet.TryGetAudioLevel(1, out var level, out _) ? level : 0;
    }
}
