using VoiceGrains.GatewayHost;
using VoiceGrains.Hosting.Launch;

try
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
    var options = LaunchOptions.Parse(args, builder.Configuration);
    if (options.IsHelp)
    {
        Console.Write(LaunchOptions.UsageText());
        return 0;
    }
    builder.AddGatewayProcess(options);
    builder.SayOnce();
    var app = builder.Build();
    app.RequireValidSettings();
    app.MapGatewayProcess();
    await app.RunInOrderAsync();
    return Environment.ExitCode;
}
catch (Exception failure) when (StartProblem.Of(failure) is { } problem)
{
    Console.Error.WriteLine(problem.Message);
    return problem.ExitCode;
}
