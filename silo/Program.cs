using VoiceGrains.Hosting.Launch;
using VoiceGrains.Silo;
using VoiceGrains.Silo.Drain;
using VoiceGrains.Silo.Launch;
using VoiceGrains.Silo.LocalCluster;

try
{
    // The content root is the program's own folder: a silo started from elsewhere still finds its appsettings.json.
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
    var options = LaunchOptions.Parse(args, builder.Configuration);
    if (options.IsHelp)
    {
        Console.Write(LaunchOptions.UsageText());
        return 0;
    }

    if (options.IsMigrateOnly)
    {
        await MigrateOnly.RunAsync(builder);
        return 0;
    }

    if (options.ClusterSize is { } silos)
        return await new ClusterLauncher(builder.Configuration, options, silos).RunAsync();

    builder.AddLaunch(options);
    builder.AddSilo();
    builder.AddFirstStart();
    builder.AddDrainSignals();
    builder.SayOnce();

    var app = builder.Build();
    app.RequireValidSettings();
    app.MapSilo();
    await app.RunInOrderAsync();
    return Environment.ExitCode;
}
catch (Exception failure) when (StartProblem.Of(failure) is { } problem)
{
    Console.Error.WriteLine(problem.Message);
    return problem.ExitCode;
}
