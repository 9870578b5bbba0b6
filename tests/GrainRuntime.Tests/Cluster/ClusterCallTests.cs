using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using VoiceGrains.ClusterHost;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

public sealed class ClusterCallTests
{
    [Fact]
    public async Task FirstRequestsFromAllSilosAtOnce_ActivateAGrainOnce()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        SiloHost[] silos = [await cluster.AddSiloAsync(), await cluster.AddSiloAsync(), await cluster.AddSiloAsync()];
        var client = await cluster.AddSiloAsync(client: true);

        await RuntimeHost.EventuallyAsync(
            () => silos.Append(client).All(host => host.Services.GetRequiredService<ClusterMembership>().View.Silos.Count == 3), "all know of all");

        var storm = Enumerable.Range(0, 20).SelectMany(grain => silos.Append(client).SelectMany(host => Enumerable.Range(0, 5)
            .Select(_ => host.Grains.GetGrain<IAccountGrain>($"g{grain}").AddAsync(1)))).ToArray();
        var totals = await Task.WhenAll(storm);

        Assert.Equal(Enumerable.Range(1, 20).SelectMany(total => Enumerable.Repeat(total, 20)).Order(), totals.Order());
        var activated = silos.SelectMany(silo => silo.Probe.Log).ToArray();
        Assert.Equal(20, activated.Length);
        Assert.Equal(20, activated.Distinct().Count());
        Assert.Equal(20L, await cluster.ScalarAsync<long>("SELECT count(*) FROM grain_directory"));
        Assert.Equal(400, await cluster.ScalarAsync<int>("SELECT sum((state->>'total')::int)::int FROM grain_state"));
    }

    [Fact]
    public async Task ArgumentsResultsAndExceptions_AreCopiedBetweenProcesses()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.AddSiloAsync();
        var client = await cluster.AddSiloAsync(client: true);
        var grain = client.Grains.GetGrain<IAccountGrain>("a");

        var note = new Note("π \"quoted\"", 3, null);
        var time = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var echo = await grain.EchoAsync(note, [1, 2, 3], time);
        Assert.Equal(new Note($"{note.Text} {time:O}", 6, note), echo);
        Assert.NotSame(note, echo.Next);

        var overdrawn = await Assert.ThrowsAsync<OverdrawnException>(() => grain.FailAsync("account"));
        Assert.Equal(("a1", 17, "a1 has 17"), (overdrawn.Account, overdrawn.Balance, overdrawn.Message));
        var argument = await Assert.ThrowsAsync<ArgumentException>(() => grain.FailAsync("argument"));
        Assert.StartsWith("not that", argument.Message);
        Assert.Equal("how", argument.ParamName);
        await Assert.ThrowsAsync<InvalidOperationException>(() => grain.FailAsync("other"));
        var platform = await Assert.ThrowsAsync<PlatformException>(() => grain.FailAsync("platform"));
        Assert.Equal((ErrorCode.ConcurrencyLimit, "Five calls are the most.", TimeSpan.FromSeconds(7)), (platform.Code, platform.Message, platform.RetryAfter));
        var input = await Assert.ThrowsAsync<InvalidInputException>(() => grain.FailAsync("input"));
        const string problems =
            """{"non_field_errors":["Two fields exclude each other."],"medium":{"sampleRate":["Must be between 8000 and 48000 Hz."]},"tools":[{},{},{"name":["Must not be blank."]}]}""";
        Assert.Equal(problems, input.Errors.ToJson().ToJsonString());
        Assert.Equal($"The request is invalid: {problems}", input.Message);
        var unknown = await Assert.ThrowsAsync<RemoteGrainException>(() => grain.FailAsync("private"));
        Assert.Contains("PrivateException", unknown.TypeName);
        Assert.Contains("for no one else", unknown.Message);
    }

    [Fact]
    public async Task CancellationAndTimeout_ReachTheGrainOnAnotherSilo()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var client = await cluster.AddSiloAsync(client: true);
        var hasty = await cluster.AddSiloAsync(client: true, runtime: options => options.ResponseTimeout = TimeSpan.FromSeconds(3));
        using var cancel = new CancellationTokenSource();

        var cancelled = client.Grains.GetGrain<IAccountGrain>("a").WaitAsync(cancel.Token);
        await silo.Probe.ExpectAsync("activated a");
        await silo.Probe.ExpectAsync("waiting");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await silo.Probe.ExpectAsync("cancelled");

        var late = hasty.Grains.GetGrain<IAccountGrain>("a").WaitAsync(CancellationToken.None);
        await silo.Probe.ExpectAsync("waiting");
        await Assert.ThrowsAsync<TimeoutException>(() => late);
        await silo.Probe.ExpectAsync("cancelled");
    }

    [Fact]
    public async Task MessageBeyondTheLimit_IsRefusedWithBothSizesAndNothingElseFails()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var log = new LogKeeper();
        var silo = await cluster.AddSiloAsync(options: options => options.MaxMessageBytes = 2_000, services: services => services.AddLogging(logging => logging.AddProvider(log)));
        var small = await cluster.AddSiloAsync(client: true, options: options => options.MaxMessageBytes = 1_500);
        var large = await cluster.AddSiloAsync(client: true);

        Assert.Equal(1_400, await small.Grains.GetGrain<IAccountGrain>("a").LengthAsync(new('x', 1_400)));
        var atItsSender = await Assert.ThrowsAsync<OrleansMessageRejectionException>(() => small.Grains.GetGrain<IAccountGrain>("a").LengthAsync(new('x', 1_500)));
        Assert.Contains("too large: 1504 bytes, the limit is 1500", atItsSender.Message);

        var grain = large.Grains.GetGrain<IAccountGrain>("a");
        foreach (var size in new[] { 3_000, 4_000_000 })
        {
            var atItsReceiver = await Assert.ThrowsAsync<OrleansMessageRejectionException>(() => grain.LengthAsync(new('x', size)));
            Assert.Contains($"too large for silo {silo.Id}: {size + 4} bytes, the limit is 2000", atItsReceiver.Message);
        }
        var result = await Assert.ThrowsAsync<OrleansMessageRejectionException>(() => grain.EchoAsync(new(new('x', 1_000), 1, null), [], default));
        Assert.Contains("The result of account/a.IAccountGrain.EchoAsync is too large", result.Message);
        Assert.Equal(3, await grain.LengthAsync("abc"));
        Assert.DoesNotContain(log.Lines, line => line.Contains("is lost", StringComparison.Ordinal));
        await log.ExpectAsync("A request of 3004 bytes");
    }

    [Fact]
    public async Task Placement_KeepsToAttributesRolesRoomAndDraining()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var plain = await cluster.AddSiloAsync(name: "plain", options: options => options.RequiredRoles["media"] = "media");
        var media = await cluster.AddSiloAsync(name: "media", options: options =>
        {
            options.Roles.Add("media");
            options.Labels["region"] = "eu";
            options.RequiredRoles["media"] = "media";
            options.MaxActivations = 12;
        });
        for (var grain = 0; grain < 4; grain++)
        {
            Assert.Equal(plain.Id, await plain.Grains.GetGrain<ILocalGrain>($"p{grain}").WhereAsync());
            Assert.Equal(media.Id, await media.Grains.GetGrain<ILocalGrain>($"m{grain}").WhereAsync());
            Assert.Equal(media.Id, await plain.Grains.GetGrain<IMediaGrain>($"c{grain}").WhereAsync());
        }

        for (var grain = 4; grain < 8; grain++)
            Assert.Equal(media.Id, await plain.Grains.GetGrain<IMediaGrain>($"c{grain}").WhereAsync());
        var full = await Assert.ThrowsAsync<LimitExceededException>(() => plain.Grains.GetGrain<IMediaGrain>("one-too-many").WhereAsync());
        Assert.Contains("full", full.Message);

        await plain.Membership.DrainAsync(RuntimeHost.Cancel);
        Assert.Equal(plain.Id, await media.Grains.GetGrain<ILocalGrain>("p0").WhereAsync());     // what is there stays
        await Assert.ThrowsAsync<LimitExceededException>(() => plain.Grains.GetGrain<ILocalGrain>("new").WhereAsync());

        var members = await media.Membership.ListAsync(RuntimeHost.Cancel);
        Assert.Equal([("plain", true), ("media", false)], members.Select(silo => (silo.Name, silo.Draining)));
        Assert.Equal(["media"], members[1].Roles);
        Assert.Equal("eu", members[1].Labels["region"]);
        await RuntimeHost.EventuallyAsync(() => media.Membership.ListAsync(RuntimeHost.Cancel).GetAwaiter().GetResult()[1] is { Activations: 12, Load: 1 }, "the load is reported");
    }

    [Fact]
    public async Task ClientThatStartsBeforeTheFirstSilo_ServesWhenThereIsOne()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var client = await cluster.AddSiloAsync(client: true);
        var grain = client.Grains.GetGrain<IAccountGrain>("a");
        Assert.Null(client.Membership.LocalSilo);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.AddAsync(1));

        await cluster.AddSiloAsync();

        Assert.Equal(1, await grain.AddAsync(1));
    }

    [Fact]
    public async Task StoppedSilo_HandsItsGrainsOver()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var first = await cluster.AddSiloAsync();
        var client = await cluster.AddSiloAsync(client: true);
        var grain = client.Grains.GetGrain<IAccountGrain>("a");
        Assert.Equal(1, await grain.AddAsync(1));
        var second = await cluster.AddSiloAsync();

        await first.StopAsync();

        Assert.Equal(2, await grain.AddAsync(1));
        Assert.Equal(second.Id, await grain.WhereAsync());
        Assert.Single(await second.Membership.ListAsync(RuntimeHost.Cancel));
    }
}
