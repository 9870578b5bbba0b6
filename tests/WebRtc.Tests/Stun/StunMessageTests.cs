using System.Net;
using System.Text;
using VoiceGrains.WebRtc.Stun;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Stun;

public sealed class StunMessageTests
{
    private const string Head = "2112a442000102030405060708090a0b";
    private static readonly byte[] Transaction = [.. Enumerable.Range(0, 12).Select(i => (byte)i)];
    private static readonly byte[] Key = "a password of at least 22"u8.ToArray();

    [Theory]
    [InlineData("", nameof(StunFault.TooShort), 0, 20, 0)]
    [InlineData("0001000021", nameof(StunFault.TooShort), 0, 20, 5)]
    [InlineData("40010000" + Head, nameof(StunFault.NotStun), 0, 0, 1)]                              // the two zero bits
    [InlineData("00010000" + "2112a443000102030405060708090a0b", nameof(StunFault.WrongCookie), 4, 0, 0)]
    [InlineData("00010004" + Head, nameof(StunFault.WrongLength), 2, 4, 0)]                          // more announced than there is
    [InlineData("00010000" + Head + "80220000", nameof(StunFault.WrongLength), 2, 0, 4)]             // bytes behind the message
    [InlineData("00010003" + Head + "802200", nameof(StunFault.WrongLength), 2, 3, 3)]               // no multiple of 4
    [InlineData("00010004" + Head + "80220001", nameof(StunFault.AttributeCutOff), 20, 1, 0)]
    [InlineData("00010008" + Head + "8022ffff00000000", nameof(StunFault.AttributeCutOff), 20, 65_535, 4)]
    [InlineData("00010008" + Head + "0024000300000000", nameof(StunFault.AttributeSize), 20, 0, 3)]  // PRIORITY has 4
    [InlineData("00010004" + Head + "80290000", nameof(StunFault.AttributeSize), 20, 0, 0)]          // ICE-CONTROLLED has 8
    [InlineData("00010004" + Head + "00060000", nameof(StunFault.AttributeSize), 20, 0, 0)]          // an empty USERNAME
    [InlineData("00010008" + Head + "0025000400000000", nameof(StunFault.AttributeSize), 20, 0, 4)]  // USE-CANDIDATE has none
    [InlineData("00010008" + Head + "0008000400000000", nameof(StunFault.AttributeSize), 20, 0, 4)]  // MESSAGE-INTEGRITY has 20
    [InlineData("0101000c" + Head + "0020000800030000ffffffff", nameof(StunFault.AttributeSize), 20, 0, 8)]   // family 3
    [InlineData("0101000c" + Head + "0020000800020000ffffffff", nameof(StunFault.AttributeSize), 20, 0, 8)]   // IPv6 in 4 bytes
    [InlineData("01110008" + Head + "0009000400000700", nameof(StunFault.AttributeSize), 20, 0, 4)]  // class 7
    [InlineData("01110008" + Head + "0009000400000464", nameof(StunFault.AttributeSize), 20, 0, 4)]  // number 100
    [InlineData("0001000c" + Head + "802800040000000080220000", nameof(StunFault.AfterFingerprint), 28, 0, 4)]
    public void TryParse_SaysWhatIsWrongAndWhere(string hex, string fault, int offset, int needed, int available)
    {
        Assert.False(StunMessage.TryParse(Convert.FromHexString(hex), out _, out var error));
        Assert.Equal(new StunError(Enum.Parse<StunFault>(fault), offset, needed, available), error);
    }

    [Fact]
    public void TryParse_RefusesWhatIsLongerThanAnyCheck()
    {
        var message = new byte[StunFormat.MaxLength + 4];

        Assert.False(StunMessage.TryParse(message, out _, out var error));
        Assert.Equal(new StunError(StunFault.TooLong, 0, StunFormat.MaxLength, StunFormat.MaxLength + 4), error);
    }

    [Theory]
    [InlineData("0001", nameof(StunClass.Request), 0x001)]
    [InlineData("0011", nameof(StunClass.Indication), 0x001)]
    [InlineData("0101", nameof(StunClass.SuccessResponse), 0x001)]
    [InlineData("0111", nameof(StunClass.ErrorResponse), 0x001)]
    [InlineData("3fff", nameof(StunClass.ErrorResponse), 0xFFF)]
    [InlineData("3eef", nameof(StunClass.Request), 0xFFF)]
    [InlineData("0003", nameof(StunClass.Request), 0x003)]
    public void ClassAndMethod_AreInterleavedInTheType(string type, string className, int method)
    {
        var messageClass = Enum.Parse<StunClass>(className);
        Assert.True(StunMessage.TryParse(Convert.FromHexString(type + "0000" + Head), out var message, out _));
        Assert.Equal((messageClass, (ushort)method), (message.Class, message.Method));

        var written = new StunWriter(new byte[20], messageClass, (ushort)method, Transaction);
        Assert.Equal(Convert.FromHexString(type + "0000" + Head), written.Message.ToArray());
    }

    [Fact]
    public void WhatFollowsTheIntegrity_IsNotBelieved()
    {
        var writer = new StunWriter(new byte[200], StunClass.Request, StunFormat.Binding, Transaction);
        writer.AddUsername("a:b"u8);
        writer.AddIntegrity(Key);
        writer.AddUseCandidate();
        writer.AddPriority(5);
        writer.AddBytes((StunAttributeType)0x7777, []);
        writer.AddFingerprint();

        Assert.True(StunMessage.TryParse(writer.Message, out var message, out _));
        Assert.True(message.HasValidIntegrity(Key));
        Assert.True(message.HasValidFingerprint());
        Assert.False(message.UseCandidate);
        Assert.Null(message.Priority);
        Assert.Equal(0, message.UnknownAttributeCount);
    }

    [Fact]
    public void OfARepeatedAttribute_TheFirstCounts()
    {
        var writer = new StunWriter(new byte[200], StunClass.Request, StunFormat.Binding, Transaction);
        writer.AddUsername("first"u8);
        writer.AddUsername("second"u8);
        writer.AddPriority(1);
        writer.AddPriority(2);
        writer.AddXorMappedAddress(TransportAddress.From(IPEndPoint.Parse("192.0.2.1:1")));
        writer.AddXorMappedAddress(TransportAddress.From(IPEndPoint.Parse("192.0.2.2:2")));

        Assert.True(StunMessage.TryParse(writer.Message, out var message, out _));
        Assert.Equal("first", Encoding.ASCII.GetString(message.Username));
        Assert.Equal(1u, message.Priority);
        Assert.True(message.TryGetMappedAddress(out var address));
        Assert.Equal("192.0.2.1:1", address.ToString());
    }

    [Fact]
    public void UnknownAttributes_AreNotedWhenTheyMustBeUnderstood_AndBounded()
    {
        var writer = new StunWriter(new byte[200], StunClass.Request, StunFormat.Binding, Transaction);
        writer.AddBytes((StunAttributeType)0xC057, [0, 0, 0, 10]);   // Chromium's network cost: optional
        foreach (ushort type in (ushort[])[0x7001, 0x0003, 0x7FFF, 0x7002, 0x7003])
            writer.AddBytes((StunAttributeType)type, [1, 2]);

        Assert.True(StunMessage.TryParse(writer.Message, out var message, out _));
        Assert.Equal(4, message.UnknownAttributeCount);
        ushort[] noted = [message.UnknownAttribute(0), message.UnknownAttribute(1), message.UnknownAttribute(2), message.UnknownAttribute(3)];
        Assert.Equal([0x7001, 0x0003, 0x7FFF, 0x7002], noted);
    }

    [Fact]
    public void AnErrorIsWrittenByteForByte()
    {
        var writer = new StunWriter(new byte[60], StunClass.ErrorResponse, StunFormat.Binding, Transaction);
        writer.AddErrorCode(487, "Role Conflict");

        Assert.Equal("01110018" + Head + "0009001100000457" + "526f6c6520436f6e666c696374" + "000000", Convert.ToHexStringLower(writer.Message));
        Assert.True(StunMessage.TryParse(writer.Message, out var message, out _));
        Assert.Equal(487, message.ErrorCode);
    }

    [Fact]
    public void MappedAddressOfAnOldServer_IsReadToo()
    {
        Assert.True(StunMessage.TryParse(Convert.FromHexString("0101000c" + Head + "0001000800018055c0000201"), out var message, out _));
        Assert.True(message.TryGetMappedAddress(out var address));
        Assert.Equal("192.0.2.1:32853", address.ToString());
    }

    [Fact]
    public void Fingerprint_MustBeThere_NotOnlyRight()
    {
        Assert.True(StunMessage.TryParse(Convert.FromHexString("00010000" + Head), out var message, out _));
        Assert.False(message.HasValidFingerprint());
        Assert.False(message.HasValidIntegrity(Key));
        Assert.False(message.TryGetMappedAddress(out _));
    }
}
