using System.Net;
using System.Security.Cryptography;
using System.Text;
using VoiceGrains.WebRtc.Stun;

namespace VoiceGrains.WebRtc.Tests.Stun;

/// <summary>The test vectors of RFC 5769.</summary>
public sealed class Rfc5769Tests
{
    private const string Transaction = "b7e7a701bc34d686fa87dfae";

    private const string Request = "000100582112a442" + Transaction
        + "802200105354554e207465737420636c69656e74" + "002400046e0001ff" + "80290008932ff9b151263b36" + "000600096576746a3a68367659202020"
        + "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2" + "80280004e57a3bcf";

    private const string Ipv4Response = "0101003c2112a442" + Transaction
        + "8022000b7465737420766563746f7220" + "002000080001a147e112a643" + "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" + "80280004c07d4c96";

    private const string Ipv6Response = "010100482112a442" + Transaction
        + "8022000b7465737420766563746f7220" + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
        + "00080014a382954e4be67bf11784c97c8292c275bfe3ed41" + "80280004c8fb0b4c";

    private const string LongTermRequest = "000100602112a44278ad3433c6ad72c029da412e"
        + "00060012e3839ee38388e383aae38383e382afe382b90000" + "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341"
        + "0014000b6578616d706c652e6f726700" + "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

    private static readonly byte[] Password = "VOkJxbRl1RmTxUk/WvJxBt"u8.ToArray();

    [Fact]
    public void SampleRequest_IsReadWhole()
    {
        Assert.True(StunMessage.TryParse(Convert.FromHexString(Request), out var message, out _));

        Assert.Equal((StunClass.Request, StunFormat.Binding), (message.Class, message.Method));
        Assert.Equal(Convert.FromHexString(Transaction), message.TransactionId.ToArray());
        Assert.Equal("STUN test client", Encoding.UTF8.GetString(message.Software));
        Assert.Equal(0x6e0001ffu, message.Priority);
        Assert.Equal(0x932ff9b151263b36ul, message.IceControlled);
        Assert.Null(message.IceControlling);
        Assert.Equal("evtj:h6vY", Encoding.UTF8.GetString(message.Username));
        Assert.False(message.UseCandidate);
        Assert.True(message.HasValidIntegrity(Password));
        Assert.True(message.HasValidFingerprint());
        Assert.Equal(0, message.UnknownAttributeCount);
    }

    [Theory]
    [InlineData(Ipv4Response, "192.0.2.1")]
    [InlineData(Ipv6Response, "2001:db8:1234:5678:11:2233:4455:6677")]
    public void SampleResponse_GivesTheMappedAddress(string hex, string address)
    {
        Assert.True(StunMessage.TryParse(Convert.FromHexString(hex), out var message, out _));

        Assert.Equal((StunClass.SuccessResponse, StunFormat.Binding), (message.Class, message.Method));
        Assert.Equal("test vector", Encoding.UTF8.GetString(message.Software));
        Assert.True(message.TryGetMappedAddress(out var mapped));
        Assert.Equal(new IPEndPoint(IPAddress.Parse(address), 32853), mapped.ToEndPoint());
        Assert.True(message.HasValidIntegrity(Password));
        Assert.True(message.HasValidFingerprint());
    }

    [Fact]
    public void LongTermRequest_IsAuthenticWithTheDigestOfUserRealmAndPassword()
    {
        Assert.True(StunMessage.TryParse(Convert.FromHexString(LongTermRequest), out var message, out _));

        Assert.Equal("マトリックス", Encoding.UTF8.GetString(message.Username));
        Assert.Equal("example.org", Encoding.UTF8.GetString(message.Realm));
        Assert.Equal("f//499k954d6OL34oL9FSTvy64sA", Encoding.UTF8.GetString(message.Nonce));
        Assert.True(message.HasValidIntegrity(MD5.HashData("マトリックス:example.org:TheMatrIX"u8)));
        Assert.False(message.HasFingerprint);
    }

    [Theory]
    [InlineData(Request)]
    [InlineData(Ipv4Response)]
    [InlineData(Ipv6Response)]
    public void AnyChangedBit_IsNoticed(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        for (var bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(StunMessage.TryParse(bytes, out var message, out _) && message.HasValidFingerprint() && message.HasValidIntegrity(Password), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }
}
