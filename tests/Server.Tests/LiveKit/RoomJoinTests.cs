using System.IO.Compression;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using VoiceGrains.Silo.LiveKit;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>The query of a join, from clients of all ages and from anybody else.</summary>
public sealed class RoomJoinTests
{
    [Fact]
    public void PlainParameters_AreTheOlderClients()
    {
        var join = Read(("sdk", "js"), ("version", "2.16.1"), ("protocol", "16"), ("auto_subscribe", "1"), ("reconnect", "1"), ("sid", "PA_x"), ("reconnect_reason", "1"));
        Assert.Equal(("livekit_js_2.16.1", true, "PA_x", null), (join!.ClientVersion, join.IsReconnect, join.ParticipantSid, join.Offer));
    }

    /// <summary>Clients of 2.17.0 used the standard alphabet; padding comes and goes.</summary>
    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public void AJoinRequest_ComesInBothAlphabets_PaddedOrNot_PackedOrNot(bool isUrlSafe, bool isPadded, bool isPacked)
    {
        var request = new JoinRequest
        {
            ClientInfo = new ClientInfo { Sdk = 1, Version = "2.23.0" },
            PublisherOffer = new SessionDescription { Type = "offer", Sdp = string.Concat(Enumerable.Range(0, 2_000).Select(i => $"a=x:{i * 7919 % 10_000}\r\n")), Id = 1 },
            ParticipantAttributes = { ["a"] = "ÿ>>>???" },
        };
        var text = SignalClient.Encode(request, isPacked);
        if (!isUrlSafe) text = text.Replace('-', '+').Replace('_', '/');
        if (!isPadded) text = text.TrimEnd('=');
        var join = Read(("join_request", text));
        Assert.Equal((request.PublisherOffer, "livekit_js_2.23.0", false, "ÿ>>>???"), (join!.Offer, join.ClientVersion, join.IsReconnect, join.Attributes["a"]));
    }

    [Fact]
    public void AResume_HasNoOffer()
    {
        var request = new JoinRequest { Reconnect = true, ParticipantSid = "PA_y", PublisherOffer = new SessionDescription() };
        Assert.True(Read(("join_request", SignalClient.Encode(request, compressed: true))) is { IsReconnect: true, ParticipantSid: "PA_y", Offer: null });
    }

    /// <summary>30 KB that would become 30 MB are not unpacked to more than a request may be.</summary>
    [Fact]
    public void ABomb_IsRefused()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) gzip.Write(new byte[30 << 20]);
        var wrapped = new WrappedJoinRequest { Compression = WrappedJoinRequest.Types.Compression.Gzip, JoinRequest = ByteString.CopyFrom(packed.ToArray()) };
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(Read(("join_request", Convert.ToBase64String(wrapped.ToByteArray()))));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void MoreMetadataThanARoomTells_IsRefused()
    {
        Assert.NotNull(Read(("join_request", SignalClient.Encode(new JoinRequest { Metadata = new string('m', 16_000) }, compressed: true))));
        Assert.Null(Read(("join_request", SignalClient.Encode(new JoinRequest { Metadata = new string('m', 16_000), ParticipantAttributes = { ["a"] = new string('a', 1_000) } }, compressed: true))));
    }

    [Theory]
    [InlineData("!")]
    [InlineData("AAAA")]
    [InlineData("CAI=")]                        // a compression that nobody knows
    [InlineData("CAESA2FiYw==")]                // gzip that is none
    [InlineData("EgP///8=")]                    // no JoinRequest inside
    public void WhatIsNoRequest_IsRefused(string text) => Assert.Null(Read(("join_request", text)));

    /// <summary>Mutations of a real request, and noise: an answer or a refusal, never an exception.</summary>
    [Fact]
    public void AnyText_IsReadOrRefused()
    {
        var good = Convert.FromBase64String(SignalClient.Encode(new JoinRequest { ClientInfo = new ClientInfo { Version = "2" }, SyncState = new SyncState(), Metadata = "m" }, compressed: true).Replace('-', '+').Replace('_', '/'));
        foreach (var seed in FuzzTime.Cases())
            Read(("join_request", Convert.ToBase64String(FuzzTime.MutateOrReplace(new Random(seed), good))));
    }

    private static RoomJoin? Read(params (string Name, string Value)[] query)
        => RoomJoin.TryRead(new QueryCollection(query.ToDictionary(pair => pair.Name, pair => new StringValues(pair.Value))), out var join, out _) ? join : null;
}
