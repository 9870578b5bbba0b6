using System.Globalization;

namespace VoiceGrains.Cli.Load;

/// <summary>CPU time and memory of a process on this machine, from /proc.</summary>
internal readonly record struct ServerProcess(TimeSpan Cpu, long ResidentBytes)
{
    private const int TicksPerSecond = 100;      // USER_HZ, the same on every Linux that .NET runs on

    /// <exception cref="CliException">There is no such process.</exception>
    public static ServerProcess Read(int processId)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');      // from field 3, the state; the name before may hold spaces
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return new ServerProcess(TimeSpan.FromSeconds((double)ticks / TicksPerSecond), long.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize);
        }
        catch (IOException)
        {
            throw new CliException($"There is no process {processId} on this machine.", CliException.Usage);
        }
    }
}
