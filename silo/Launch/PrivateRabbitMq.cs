using System.Security.Cryptography;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// The RabbitMQ that a local cluster brings along, for this machine's processes that know its password. It carries requests and keeps nothing of value, so
/// each launch begins with an empty one; only when it dies meanwhile it goes on with what it had.
/// </summary>
internal sealed class PrivateRabbitMq : IPrivateServer
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LastStopLimit = TimeSpan.FromSeconds(1);
    private readonly string program;
    private readonly string? runAs;
    private readonly RabbitMqNode node;
    private readonly TimeProvider clock;
    private readonly IEnumerable<KeyValuePair<string, string>> mark;
    private ServerProcess? mapper;
    private ServerProcess? broker;

    private PrivateRabbitMq(string program, string? runAs, RabbitMqNode node, IEnumerable<KeyValuePair<string, string>> mark, TimeProvider clock)
        => (this.program, this.runAs, this.node, this.mark, this.clock) = (program, runAs, node, mark, clock);

    public string Name => "rabbitmq";

    public string Uri => node.Uri;

    public int Port => node.Port;

    public string Log => Path.Combine(node.Folder, "server.log");

    public int ProcessId => broker?.Id ?? 0;

    public Task<int> Exited => broker?.Exited ?? Task.FromResult(0);

    /// <summary>Makes an empty home in the data folder; starts nothing. No broker of an earlier launch may run there.</summary>
    /// <param name="mark">What its processes carry in their environment.</param>
    /// <exception cref="LaunchException">RabbitMQ is not installed, or the home cannot be made.</exception>
    public static PrivateRabbitMq Prepare(string dataFolder, IEnumerable<KeyValuePair<string, string>> mark, TimeProvider clock)
    {
        var program = RabbitMqNode.FindProgram()
            ?? throw new LaunchException("RabbitMQ is not installed: apt-get install rabbitmq-server, or set Cluster__RabbitMq to use a broker of your own.");
        var runAs = Environment.IsPrivilegedProcess ? "rabbitmq" : null;
        var folder = ServerFolder.Locate(dataFolder, "rabbitmq", runAs);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        ServerFolder.Make(folder, runAs);
        var ports = FreePorts.Take(3);
        var node = new RabbitMqNode
        {
            Folder = folder,
            Port = ports[0],
            MapperPort = ports[1],
            DistributionPort = ports[2],
            Password = RandomNumberGenerator.GetHexString(32, lowercase: true),
        };
        File.WriteAllText(node.ConfigurationFile, node.Configuration);
        ServerFolder.GiveTo(runAs, node.ConfigurationFile);
        return new PrivateRabbitMq(program, runAs, node, mark, clock);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(StartLimit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        LogTail.StartAnew(Log);
        if (mapper is null || mapper.Exited.IsCompleted)
            mapper = await ServerProcess.StartAsync(Command("epmd", node.MapperArguments));
        broker = await ServerProcess.StartAsync(Command(program, []));
        try
        {
            while (!await node.AnswersAsync(either.Token))
            {
                if (broker.Exited.IsCompleted)
                    throw new LaunchException($"The private RabbitMQ ended at its start. Its log, {Log}, ends:\n{LogTail.Of(Log)}");
                await Task.Delay(TimeSpan.FromMilliseconds(100), clock, either.Token);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new LaunchException($"The private RabbitMQ was not ready within {StartLimit.TotalSeconds:0} s. Its log, {Log}, ends:\n{LogTail.Of(Log)}");
        }
    }

    public async Task StopAsync()
    {
        if (broker is not null && !await broker.StopAsync(Native.SigTerm, StopLimit, clock))
            await broker.StopAsync(Native.SigKill, LastStopLimit, clock);
        if (mapper is not null)
            await mapper.StopAsync(Native.SigKill, LastStopLimit, clock);
    }

    private ServerCommand Command(string file, string[] arguments) => new(file, arguments)
    {
        RunAs = runAs,
        Environment = [.. node.Environment, .. mark],
        WorkingDirectory = node.Folder,
        Log = Log,
    };
}
