using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Bench.Rest;

/// <summary>What REST costs beyond its queries: requests to a real server beside the same SQL sent by a bare driver, in turns, by as many callers.</summary>
internal static class RestScenario
{
    private const double Target = 0.6;
    private const int Calls = 300;

    /// <summary>As long as the compiler is at work on the server's hot code: what it takes from two cores is not what a request costs.</summary>
    private const double WarmUpSeconds = 12;
    private const string Agent = """{"name":"bench","callTemplate":{"systemPrompt":"Be brief.","voice":"Mark","temperature":0.3}}""";
    private static readonly Option<int> Callers = new("--callers") { Description = "Requests at the same time.", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "How often each takes its turn.", DefaultValueFactory = _ => 7 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "How long a turn is.", DefaultValueFactory = _ => 2 };

    private static readonly Option<string> Only = new("--only") { Description = "The one of the three whose name holds this.", DefaultValueFactory = _ => "" };

    public static Command Command()
    {
        var command = new Command("rest", "GET call, list calls and create agent over HTTP, beside the bare queries.") { Callers, Rounds, Seconds, Only };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult given, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        await using var own = await PostgresServer.CreateDatabaseAsync(cancellationToken, durable: true);
        await using var server = await BenchServer.StartAsync(own.ConnectionString, "Fine.", cancellationToken, new Dictionary<string, string>
        {
            ["Gateway__RequestsPerSecondPerKey"] = "0", ["Gateway__RequestsPerSecondPerAccount"] = "0", ["Logging__LogLevel__Default"] = "Warning",
        });
        await using var database = NpgsqlDataSource.Create(own.ConnectionString);
        await using var tuned = NpgsqlDataSource.Create(own.ConnectionString + ";No Reset On Close=true");
        using var http = new HttpClient { BaseAddress = server.Address.Url };
        http.DefaultRequestHeaders.Add("X-API-Key", server.Address.ApiKey);
        var account = await ScalarAsync(database, "select account_id::text from accounts limit 1", cancellationToken);
        var calls = new string[Calls];
        for (var i = 0; i < Calls; i++)
        {
            // Nobody joins, and that is found out after all is measured: 300 calls that end meanwhile are work of their own.
            var call = new { systemPrompt = "Be brief. " + new string('x', 400), metadata = new { number = $"{i}" }, joinTimeout = "3600s" };
            using var created = await http.PostAsJsonAsync("/api/calls", call, cancellationToken);
            if (!created.IsSuccessStatusCode) throw new CliException(await created.Content.ReadAsStringAsync(cancellationToken));
            calls[i] = (await created.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("callId").GetString()!;
        }
        await ScalarAsync(database, "analyze", cancellationToken);

        var (state, document) = await CreateLikeRestAsync(http, database, cancellationToken);
        Side[] sides =
        [
            new("GET call", n => SendAsync(http, new(HttpMethod.Get, "/api/calls/" + calls[n % Calls]), cancellationToken),
                n => GetAsync(database, isPrepared: false, account, calls[n % Calls], cancellationToken), n => GetAsync(tuned, isPrepared: true, account, calls[n % Calls], cancellationToken)),
            new("list calls", _ => SendAsync(http, new(HttpMethod.Get, "/api/calls"), cancellationToken),
                _ => ListAsync(database, isPrepared: false, account, cancellationToken), _ => ListAsync(tuned, isPrepared: true, account, cancellationToken)),
            new("create agent",
                _ => SendAsync(http, new(HttpMethod.Post, "/api/agents") { Content = new StringContent(Agent, Encoding.UTF8, "application/json") }, cancellationToken),
                _ => CreateAsync(database, account, state, document, cancellationToken), _ => CreateAtOnceAsync(tuned, account, state, document, cancellationToken)),
        ];
        var (callers, seconds) = (given.GetValue(Callers), given.GetValue(Seconds));
        Console.WriteLine($"\n{callers} callers\n\n| | REST per s | p50 ms | p99 ms | bare per s | p50 ms | p99 ms | ratio | prepared per s | p50 ms | p99 ms | ratio |\n|---|---|---|---|---|---|---|---|---|---|---|---|");
        var isShort = false;
        foreach (var side in sides.Where(side => side.Name.Contains(given.GetRequiredValue(Only), StringComparison.OrdinalIgnoreCase)))
        {
            await TurnAsync(side.Rest, callers, WarmUpSeconds);
            await TurnAsync(side.Bare, callers, 1);
            await TurnAsync(side.Prepared, callers, 1);
            List<Turn> rest = [], bare = [], prepared = [];
            for (var round = 0; round < given.GetValue(Rounds); round++)
            {
                rest.Add(await TurnAsync(side.Rest, callers, seconds));
                bare.Add(await TurnAsync(side.Bare, callers, seconds));
                prepared.Add(await TurnAsync(side.Prepared, callers, seconds));
            }
            isShort |= Ratio(rest, bare) < Target;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {side.Name} | {Row(rest)} | {Row(bare)} | {Ratio(rest, bare):0.00} | {Row(prepared)} | {Ratio(rest, prepared):0.00} |"));
        }
        Console.WriteLine("\n" + Scenario.Machine());
        return isShort ? CliException.CallFailed : 0;
    }

    private static double Ratio(List<Turn> rest, List<Turn> other) => Middle(rest).PerSecond / Middle(other).PerSecond;

    private static string Row(List<Turn> turns)
    {
        var times = turns.SelectMany(turn => turn.Ms).ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{Middle(turns).PerSecond:0} | {LoadReport.At(times, 0.5):0.00} | {LoadReport.At(times, 0.99):0.00}");
    }

    private static Turn Middle(List<Turn> turns) => turns.OrderBy(turn => turn.PerSecond).ElementAt(turns.Count / 2);

    private static async Task<Turn> TurnAsync(Func<int, Task> one, int callers, double seconds)
    {
        var watch = Stopwatch.StartNew();
        var number = 0;
        var all = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var times = new List<double>();
            while (watch.Elapsed.TotalSeconds < seconds)
            {
                var start = Stopwatch.GetTimestamp();
                await one(Interlocked.Increment(ref number));
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            return times;
        })));
        return new([.. all.SelectMany(times => times)], watch.Elapsed.TotalSeconds);
    }

    private static async Task SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        using (var reply = await http.SendAsync(request, cancellationToken))
        {
            await reply.Content.ReadAsByteArrayAsync(cancellationToken);
            reply.EnsureSuccessStatusCode();
        }
    }

    private static async Task GetAsync(NpgsqlDataSource database, bool isPrepared, string account, string callId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("select document from calls where call_id = $1 and account_id = $2", connection)
        {
            Parameters = { new() { Value = callId }, new() { Value = account } },
        };
        if (isPrepared) await command.PrepareAsync(cancellationToken);
        if (await command.ExecuteScalarAsync(cancellationToken) is not string) throw new CliException($"Call {callId} is gone.");
    }

    /// <summary>The two statements of the list without filters.</summary>
    private static async Task ListAsync(NpgsqlDataSource database, bool isPrepared, string account, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("select (+ (select coalesce(sum(total), 0) from call_counts where list = 'calls' and account_id = $1 and agent_id = any($2) and day between $3 and $4))::integer")
        {
            Parameters = { new() { Value = account }, new() { Value = new[] { "" } }, new() { Value = DateOnly.MinValue }, new() { Value = DateOnly.MaxValue } },
        });
        batch.BatchCommands.Add(new("""
            select page.*, page_key::text as key_text, page_id::text as id_text from (
                select document, 0 as part, created as page_key, call_id as page_id from calls where (account_id = $1) and true order by created desc, call_id desc limit 11) page
            order by part, page_key desc, page_id desc
            """)
        { Parameters = { new() { Value = account } } });
        if (isPrepared) await batch.PrepareAsync(cancellationToken);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) row.GetString(0);
    }

    /// <summary>What an agent that was made over REST has stored, so that the others write as much.</summary>
    private static async Task<(string State, string Document)> CreateLikeRestAsync(HttpClient http, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await SendAsync(http, new(HttpMethod.Post, "/api/agents") { Content = new StringContent(Agent, Encoding.UTF8, "application/json") }, cancellationToken);
        return (await ScalarAsync(database, "select state::text from grain_state where grain_key = (select agent_id from agents limit 1)", cancellationToken),
            await ScalarAsync(database, "select document::text from agents limit 1", cancellationToken));
    }

    /// <summary>The two rows of an agent, in one transaction, as one would write it down.</summary>
    private static async Task CreateAsync(NpgsqlDataSource database, string account, string state, string document, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var statement in Statements(account, state, document))
        {
            await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { statement } };
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The same with a single round trip.</summary>
    private static async Task CreateAtOnceAsync(NpgsqlDataSource database, string account, string state, string document, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var statement in Statements(account, state, document)) batch.BatchCommands.Add(statement);
        await batch.PrepareAsync(cancellationToken);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static IEnumerable<NpgsqlBatchCommand> Statements(string account, string state, string document)
    {
        var id = Guid.NewGuid().ToString();
        yield return new("insert into grain_state (grain_type, grain_key, state_name, state, etag) select 'bench', $1, 'agent', $2, 1 returning etag")
        {
            Parameters = { new() { Value = id }, new() { Value = state, NpgsqlDbType = NpgsqlDbType.Jsonb } },
        };
        yield return new("insert into agents (agent_id, account_id, name, created, document) values ($1, $2, 'bench', $3, $4)")
        {
            Parameters =
            {
                new() { Value = id }, new() { Value = account + " bare" }, new() { Value = DateTime.UtcNow }, new() { Value = document, NpgsqlDbType = NpgsqlDbType.Jsonb },
            },
        };
    }

    private static async Task<string> ScalarAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(cancellationToken) as string ?? "";
    }

    /// <param name="Rest">The n-th request.</param>
    /// <param name="Bare">The same without a server, by the driver as it comes.</param>
    /// <param name="Prepared">As <paramref name="Bare"/>, but the way the server asks: statements prepared once, connections not reset, what is written sent at once.</param>
    private sealed record Side(string Name, Func<int, Task> Rest, Func<int, Task> Bare, Func<int, Task> Prepared);

    private sealed record Turn(List<double> Ms, double Seconds)
    {
        public double PerSecond => Ms.Count / Seconds;
    }
}
